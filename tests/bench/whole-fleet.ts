import { randomBytes } from "node:crypto";
import { stack } from "@deeplens/testing";
import type { FleetProcess } from "./installation.ts";
import type { StagedCode } from "./staged-code.ts";

const firstPort = 24_300;

/** The processes of the fleet, by the names of their containers. */
export const fleet = [
  "saga-orchestrator",
  "db-worker",
  "storage-worker",
  "vector-worker",
  "backup-worker",
  "identity-worker",
] as const;

/** The six processes of the product on the running stack: their own main.ts, with handlers that do nothing. */
export const wholeFleet = (
  code: StagedCode,
  settings: Readonly<Record<string, string>>,
): Readonly<Record<string, FleetProcess>> => {
  const { tenantDb, redis, minio, images, qdrant, identity } = stack();
  const workers: Readonly<
    Record<Exclude<(typeof fleet)[number], "saga-orchestrator">, Record<string, string>>
  > = {
    "db-worker": {
      TENANT_DB_HOST: tenantDb.host,
      TENANT_DB_PORT: String(tenantDb.port),
      TENANT_DB_ADMIN_USER: tenantDb.adminUser,
      TENANT_DB_ADMIN_PASSWORD: tenantDb.password,
      REDIS_HOST: redis.host,
      REDIS_PORT: String(redis.port),
      REDIS_ADMIN_USER: redis.adminUser,
      REDIS_ADMIN_PASSWORD: redis.password,
    },
    "storage-worker": {
      MINIO_ENDPOINT: minio.endpoint,
      MINIO_ROOT_USER: minio.rootUser,
      MINIO_ROOT_PASSWORD: minio.password,
    },
    "vector-worker": {
      QDRANT_IMAGE: images.qdrant,
      QDRANT_HTTP_PORT_BASE: String(qdrant.httpPortBase),
      QDRANT_GRPC_PORT_BASE: String(qdrant.grpcPortBase),
    },
    "backup-worker": {
      BACKUP_IMAGE: images.backup,
      TENANT_DB_HOST: tenantDb.host,
      TENANT_DB_PORT: String(tenantDb.port),
    },
    "identity-worker": { IDENTITY_API_URL: identity.url },
  };
  const orchestrator: FleetProcess = {
    file: code.path("apps/saga-orchestrator/src/main.ts"),
    environment: {
      ...settings,
      API_PORT: String(firstPort),
      API_TOKEN: randomBytes(24).toString("hex"),
      HEALTH_PORT: String(firstPort + 1),
    },
    healthPorts: [firstPort + 1],
  };
  const each = Object.entries(workers).map(([name, environment], index): [string, FleetProcess] => {
    const port = firstPort + 2 + index;
    return [
      name,
      {
        file: code.path(`apps/${name}/src/main.ts`),
        nodeArgs: ["--import", code.path("tests/bench/noop-hooks.ts")],
        environment: { ...settings, ...environment, HEALTH_PORT: String(port) },
        healthPorts: [port],
      },
    ];
  });
  return { "saga-orchestrator": orchestrator, ...Object.fromEntries(each) };
};
