-- Secrets that came in before their tenant: encrypted at once, named by their id, and given to one tenant. The cipher
-- binds the id. When a tenant took one, its text is a row of `secrets` and here is left only who took it.

CREATE TABLE drop_offs (
  id uuid PRIMARY KEY,
  kind text NOT NULL,            -- what it opens: aws_s3, azure_blob, gcs
  key_version text,              -- which master key
  nonce bytea,
  ciphertext bytea,              -- AES-256-GCM, its tag last; null: a tenant took it
  actor text NOT NULL,           -- who dropped it off
  created_at timestamptz NOT NULL DEFAULT now(),
  expires_at timestamptz NOT NULL,
  bound_to uuid,                 -- the tenant that took it
  bound_at timestamptz,
  CONSTRAINT taken_once CHECK ((bound_to IS NULL) = (ciphertext IS NOT NULL))
);
CREATE INDEX drop_offs_unused ON drop_offs (expires_at) WHERE bound_to IS NULL;
