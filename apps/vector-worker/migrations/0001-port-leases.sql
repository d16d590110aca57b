-- The host's ports of tenants' Qdrant containers. A pair is taken by inserting its row: the unique constraints decide
-- between workers that want the same one. A row stays until the container was seen gone, whatever crashes in between,
-- so no two containers are ever told the same ports. Rows are never written without the command's fence being looked
-- at in the same statement (worker.parts).

CREATE TABLE port_leases (
  installation text NOT NULL,
  http_port integer NOT NULL CHECK (http_port BETWEEN 1 AND 65535),
  grpc_port integer NOT NULL CHECK (grpc_port BETWEEN 1 AND 65535 AND grpc_port <> http_port),
  tenant_id uuid NOT NULL,
  slug text NOT NULL,
  leased_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (installation, tenant_id),
  UNIQUE (installation, http_port),
  UNIQUE (installation, grpc_port)
);

-- Pairs of which a port turned out to be bound by somebody else: not tried again before `until`.
CREATE TABLE foreign_ports (
  installation text NOT NULL,
  http_port integer NOT NULL,
  grpc_port integer NOT NULL,
  until timestamptz NOT NULL,
  PRIMARY KEY (installation, http_port, grpc_port)
);
