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

-- Processes that have not said that they ended. A free lock alone tells that one has died only while the database keeps
-- its sessions: a restart, a crash or a fail-over of it ends them all, and a stopped process does not even know.
CREATE TABLE processes (
  process text PRIMARY KEY,
  doubt interval NOT NULL,       -- for how long it counts as living once its session was lost
  lost_at timestamptz            -- when another process noticed that
);

-- Which of them have had their session since the database was started: a crash and a fail-over empty an unlogged table, a
-- restart changes the time.
CREATE UNLOGGED TABLE sessions (
  process text PRIMARY KEY,
  postmaster timestamptz NOT NULL
);

-- A process lives until its own lock was seen free: a stopped one keeps it, whatever became of its other sessions. Where
-- that lock went with the database's sessions, it lives until it says that it ended, or the time for doubts is over.
CREATE FUNCTION lives(name text) RETURNS boolean LANGUAGE sql STABLE AS $$
  SELECT worker.holder_of(worker.process_key(name)) IS NOT NULL OR EXISTS (
    SELECT FROM worker.processes p
    WHERE p.process = name AND (p.lost_at IS NULL OR clock_timestamp() < p.lost_at + p.doubt) AND NOT EXISTS (
      SELECT FROM worker.sessions s WHERE s.process = name AND s.postmaster = pg_postmaster_start_time()))
$$;

-- A process that has its own lock says that it is there. It forgets those that died: by their lock, or because they were
-- before it what it is now, the one process of its container. And it notes which were lost.
CREATE FUNCTION register(name text, doubt interval, container text) RETURNS void LANGUAGE sql AS $$
  DELETE FROM worker.processes WHERE NOT worker.lives(process) OR starts_with(process, container || '/');
  DELETE FROM worker.sessions s WHERE NOT EXISTS (SELECT FROM worker.processes p WHERE p.process = s.process);
  UPDATE worker.processes SET lost_at = clock_timestamp()
    WHERE lost_at IS NULL AND worker.holder_of(worker.process_key(process)) IS NULL;
  INSERT INTO worker.processes VALUES (name, doubt);
  INSERT INTO worker.sessions VALUES (name, pg_postmaster_start_time());
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
  doubtful boolean NOT NULL DEFAULT false, -- an earlier try's effect may land after this one's: it was never resolved
  processes text[] NOT NULL,     -- who wrote its intents, since it was last gone
  intended_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (kind, name)
);
CREATE INDEX ledger_by_owner ON ledger (owner, step);
CREATE INDEX ledger_open ON ledger (slug, step) WHERE state = 'intent';

-- Things that may be there although nobody said so: the orchestrator sweeps those of tenants that are gone.
CREATE VIEW open_intents AS
  SELECT slug, step, owner, kind, name, intended_at AS since FROM ledger WHERE state = 'intent';
