-- What is looked at of a tenant that is ready: one row a part. The orchestrator puts it in and takes it out; the part's
-- worker looks when it is due, outside of every saga, for it changes nothing, and writes what it saw.
CREATE TABLE probes (
  tenant_id uuid NOT NULL,
  step text NOT NULL,
  slug text NOT NULL,
  told jsonb NOT NULL,           -- {name, tier, storageType, inputs}: what the probe is told
  every interval NOT NULL,
  due_at timestamptz NOT NULL DEFAULT now(),
  taken_until timestamptz,       -- a worker looks, until then at the longest
  checked_at timestamptz,        -- null: never yet
  healthy boolean,
  code text,
  reason text,
  facts jsonb NOT NULL DEFAULT '{}',
  since timestamptz,             -- for how long it has been as it is: healthy, or ill for this code
  PRIMARY KEY (tenant_id, step)
);
CREATE INDEX probes_due ON probes (step, due_at);

-- Whoever wants one at once wakes the workers, which listen; what is due later wakes nobody.
CREATE FUNCTION ring_probes() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  PERFORM pg_notify('probes', NEW.step);
  RETURN NULL;
END $$;
CREATE TRIGGER rings AFTER INSERT OR UPDATE OF due_at ON probes
  FOR EACH ROW WHEN (NEW.due_at <= now()) EXECUTE FUNCTION ring_probes();
