/** The containers that an installation is made of, besides its tenants' own: their names after `<installation>-`. */
export const infrastructure = [
  "kafka",
  "schema-registry",
  "postgres",
  "redis",
  "minio",
  "identity-api",
] as const;

export const fleet = [
  "saga-orchestrator",
  "db-worker",
  "storage-worker",
  "vector-worker",
  "backup-worker",
  "identity-worker",
] as const;

/** What looks after the fleet: of another image. */
export const companions = ["control-backup"] as const;

/** The worker of each step of a tenant. */
export const workerOf = {
  database: "db-worker",
  storage: "storage-worker",
  vectors: "vector-worker",
  backup: "backup-worker",
  identity: "identity-worker",
} as const;
