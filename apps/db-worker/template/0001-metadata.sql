-- What every tenant's database holds: the metadata of its images. Runs as the tenant's owner role with `search_path`
-- set to `public`; the application role gets its rights on the tables from default privileges (src/database-grants.ts).

CREATE TABLE collections (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  name text NOT NULL UNIQUE CHECK (name <> ''),
  -- The collection of the tenant's vector engine that holds these images' vectors.
  vector_collection text NOT NULL DEFAULT 'images',
  created_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE images (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  collection_id uuid NOT NULL REFERENCES collections ON DELETE CASCADE,
  object_key text NOT NULL,
  content_type text NOT NULL,
  size_bytes bigint NOT NULL CHECK (size_bytes >= 0),
  sha256 bytea NOT NULL CHECK (octet_length(sha256) = 32),
  width integer CHECK (width > 0),
  height integer CHECK (height > 0),
  attributes jsonb NOT NULL DEFAULT '{}',
  created_at timestamptz NOT NULL DEFAULT now(),
  UNIQUE (collection_id, object_key)
);
CREATE INDEX images_sha256 ON images (sha256);

CREATE TABLE ingestion_jobs (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  collection_id uuid NOT NULL REFERENCES collections ON DELETE CASCADE,
  state text NOT NULL DEFAULT 'queued' CHECK (state IN ('queued', 'running', 'done', 'failed')),
  source text NOT NULL,
  images_total integer NOT NULL DEFAULT 0 CHECK (images_total >= 0),
  images_done integer NOT NULL DEFAULT 0 CHECK (images_done >= 0),
  error text,
  created_at timestamptz NOT NULL DEFAULT now(),
  finished_at timestamptz
);
CREATE INDEX ingestion_jobs_open ON ingestion_jobs (created_at) WHERE state IN ('queued', 'running');

CREATE TABLE usage (
  day date NOT NULL,
  -- api_calls, images, storage_bytes, searches, ...
  metric text NOT NULL,
  amount bigint NOT NULL DEFAULT 0 CHECK (amount >= 0),
  PRIMARY KEY (day, metric)
);
