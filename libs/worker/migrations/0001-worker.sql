-- The workers' memory: one row a part (which command is the newest, what was answered), one row a real thing (whose it
-- is). Rows are never pruned: a command of last year that comes again is still refused by its fence.

-- Names of locks. A part's lock is held by the process that works on it, a process's by itself while it lives.
CREATE FUNCTION part_key(slug text, step text) RETURNS bigint
  LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$ SELECT hashtextextended('part/' || slug || '/' || step, 0) $$;
CREATE FUNCTION process_key(process text) RETURNS bigint
  LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$ SELECT hashtextextended('process/' || process, 0) $$;

-- The session that holds an advisory lock of this database, or null.
CREATE FUNCTION holder_of(key bigint) RETURNS int LANGUAGE sql STABLE AS $$
  SELECT pid FROM pg_locks
  WHERE locktype = 'advisory' AND granted AND objsubid = 1
    AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
    AND ((classid::bigint << 32) | objid::bigint) = key
  LIMIT 1
$$;

-- A process lives until its own lock was seen free. A stopped one keeps it, whatever became of its other sessions.
CREATE FUNCTION lives(process text) RETURNS boolean LANGUAGE sql STABLE AS $$
  SELECT worker.holder_of(worker.process_key(process)) IS NOT NULL
$$;

CREATE TABLE parts (
  slug text NOT NULL,
  step text NOT NULL,
  tenant_id uuid NOT NULL,
  fence bigint NOT NULL,         -- the newest command's; only grows
  state text NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'done')),
  reply_record text,             -- what the newest command was answered, when it is done
  reply bytea,
  reply_headers jsonb,
  holder text,                   -- the process that took the part's lock and has not said yet that its handler settled
  holder_fence bigint,
  holder_until timestamptz,      -- when that handler's work must have ended
  suspects text[] NOT NULL DEFAULT '{}', -- earlier holders that never said so: an effect of theirs may still land
  updated_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (slug, step)
) WITH (fillfactor = 50);

CREATE TABLE ledger (
  kind text NOT NULL,
  name text NOT NULL,
  owner uuid NOT NULL,
  slug text NOT NULL,
  step text NOT NULL,
  state text NOT NULL CHECK (state IN ('intent', 'made', 'gone')),
  facts jsonb NOT NULL DEFAULT '{}',
  process text NOT NULL,         -- who wrote the last intent
  intended_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (kind, name)
);
CREATE INDEX ledger_by_owner ON ledger (owner, step);
CREATE INDEX ledger_open ON ledger (slug, step) WHERE state = 'intent';

-- Things that may be there although nobody said so: the orchestrator sweeps those of tenants that are gone.
CREATE VIEW open_intents AS
  SELECT slug, step, owner, kind, name, intended_at AS since FROM ledger WHERE state = 'intent';
