-- The orchestrator's memory. One transaction takes what a fetch brought and writes everything that follows from it:
-- sagas with their timers, history, outbox and the offsets. After a crash at any point either all of it is here or
-- none, and the offsets say which. Rows of `requests` and `reservations` are never pruned.

-- One row a shard: who owns it (epoch), and up to where its partitions were applied. Every transaction locks it first.
CREATE TABLE shards (
  shard int PRIMARY KEY,
  epoch bigint NOT NULL DEFAULT 0,
  requests_next bigint,          -- next offset to apply; null: this database has never read the partition
  requests_hash bytea,           -- SHA-256 of the last applied record; null: none was applied since reading (re)began
  replies_next bigint,
  replies_hash bytea,
  requests_stopped text,         -- why its owner reads the partition no more, for operators; null while it does
  replies_stopped text
);

-- Every request ever seen, so that the same one gets the same answer.
CREATE TABLE requests (
  source text NOT NULL,
  request_id text NOT NULL,
  payload_hash bytea NOT NULL,
  tenant_id uuid NOT NULL,
  saga_id uuid,                  -- null: refused before a saga began
  rejection jsonb,               -- {code, message} where it was refused
  received_at timestamptz NOT NULL,
  PRIMARY KEY (source, request_id)
);

-- Who has a slug, and the slug's fence, which grows with every command and never starts again: the last one plus one, or
-- the time in ms where that is more.
CREATE TABLE reservations (
  slug text PRIMARY KEY,
  tenant_id uuid NOT NULL,
  saga_id uuid NOT NULL,
  fence bigint NOT NULL DEFAULT 0,
  released boolean NOT NULL DEFAULT false
) WITH (fillfactor = 60);        -- room for a fence that grows, on its page

CREATE TABLE tenants (
  tenant_id uuid PRIMARY KEY,
  slug text NOT NULL,
  shard int NOT NULL,
  name text NOT NULL,
  state text NOT NULL CHECK (state IN ('provisioning', 'ready', 'compensating', 'rolled-back', 'stuck')),
  revision bigint NOT NULL,
  tier text NOT NULL,
  storage_type text NOT NULL,
  resources jsonb NOT NULL DEFAULT '{}',
  source text NOT NULL,
  request_id text NOT NULL,
  created_at timestamptz NOT NULL,
  updated_at timestamptz NOT NULL
);
CREATE INDEX tenants_by_slug ON tenants (slug, created_at DESC);
CREATE INDEX tenants_lately_changed ON tenants (shard, updated_at);

-- What only the engine reads whole is `json`: kept as text, neither parsed nor sorted on its way in or out. No index holds
-- what changes with every event, and pages keep room, so that an update stays on its page and touches no index (HOT).
CREATE TABLE sagas (
  saga_id uuid PRIMARY KEY,
  tenant_id uuid NOT NULL,
  slug text NOT NULL,
  shard int NOT NULL,
  kind text NOT NULL,
  status text NOT NULL CHECK (status IN ('running', 'compensating', 'ready', 'rolled-back', 'closed', 'stuck')),
  machine_version int NOT NULL,
  version bigint NOT NULL,       -- grows with every write; a write names the one it read
  snapshot json NOT NULL,        -- {value, facts}: what the machine sees
  steps json NOT NULL,           -- by step: fence, attempts, outputs, receipt, error, times
  timers json NOT NULL,          -- by name: due, fence
  error json,                    -- {step, code, message}: why it was rolled back, or is stuck
  request json NOT NULL,         -- {source, requestId, spec}
  next_due timestamptz,          -- the earliest of the timers
  created_at timestamptz NOT NULL,
  updated_at timestamptz NOT NULL,
  finished_at timestamptz,
  -- No silent wait: what is not final has a timer, or is stuck with a reason.
  CONSTRAINT no_silent_wait CHECK (status IN ('ready', 'closed') OR next_due IS NOT NULL OR (status = 'stuck' AND error IS NOT NULL))
) WITH (fillfactor = 60, toast_tuple_target = 4080);
CREATE INDEX sagas_unfinished ON sagas (shard) WHERE status NOT IN ('ready', 'closed');
CREATE INDEX sagas_by_tenant ON sagas (tenant_id, created_at DESC);
CREATE INDEX sagas_by_status ON sagas (status, created_at DESC, saga_id DESC);
CREATE INDEX sagas_by_slug ON sagas (slug, created_at DESC);
CREATE INDEX sagas_by_age ON sagas (created_at DESC, saga_id DESC);

-- Append-only: every event of a saga and what it changed.
CREATE TABLE history (
  id bigint GENERATED ALWAYS AS IDENTITY,
  saga_id uuid NOT NULL,
  at timestamptz NOT NULL,
  event text NOT NULL,           -- requested, StepCompleted, timer, act, ...
  step text,
  fence bigint,
  body json NOT NULL,            -- what came in, the state before and after, what was sent
  PRIMARY KEY (saga_id, id)
);

-- What is to be published; a row goes when the broker acknowledged it. Ids grow in commit order within a shard.
CREATE TABLE outbox (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  shard int NOT NULL,
  topic text NOT NULL,
  key bytea,
  value bytea,
  headers json NOT NULL
);

-- What did not come by the shard's own partitions: requests of the API or of a foreign partition, and operators' acts.
-- The shard's owner applies a row by the same function as a record, and leaves the result.
CREATE TABLE inbox (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  shard int NOT NULL,
  body jsonb NOT NULL,           -- {kind: "request", source, request} or {kind: "act", act, sagaId, tenantId, step?, by, reason}
  created_at timestamptz NOT NULL DEFAULT now(),
  done_at timestamptz,
  result jsonb                   -- {ok: true, ...} or {ok: false, code, message, state}
);
CREATE INDEX inbox_open ON inbox (shard, id) WHERE done_at IS NULL;

-- Whoever puts a row in wakes the engines, which listen.
CREATE FUNCTION ring_inbox() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  PERFORM pg_notify('saga_inbox', NEW.shard::text);
  RETURN NULL;
END $$;
CREATE TRIGGER rings AFTER INSERT ON inbox FOR EACH ROW EXECUTE FUNCTION ring_inbox();

-- Who did what, when and why; nothing updates or deletes a row.
CREATE TABLE audit (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  at timestamptz NOT NULL DEFAULT now(),
  actor text NOT NULL,
  action text NOT NULL,
  subject text NOT NULL,
  reason text,
  outcome text NOT NULL
);
