-- How far the orchestrator has followed its tenants' changes, by shard: only who changed since is put in or taken out.
CREATE TABLE probes_followed (
  shard int PRIMARY KEY,
  updated_at timestamptz NOT NULL,   -- of the last tenant that was followed
  tenant_id uuid NOT NULL
);

-- Who is ill is asked every half a minute, and few are.
CREATE INDEX probes_ill ON probes (tenant_id) WHERE healthy = false;
