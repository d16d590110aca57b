import { randomBytes } from "node:crypto";
import { stack } from "@deeplens/testing";
import type { FleetProcess } from "./process-container.ts";
import type { StagedCode } from "./staged-code.ts";

const healthPort = 8_080;

/** The processes of the fleet, by the names of their containers. */
export const fleet = [
  "saga-orchestrator",
  "db-worker",
  "storage-worker",
  "vector-worker",
  "backup-worker",
  "identity-worker",
] as const;

export interface FleetSettings {
  /** Of each process, beside its configuration. */
  readonly settings: Readonly<Record<string, string>>;
  /** Node's, beside those of the settings. */
  readonly orchestratorFlags: readonly string[];
}

/** As docker-compose.yml names what they talk to. */
const redisInside = { REDIS_HOST: "redis", REDIS_PORT: "6379" };
const tenantDbInside = { TENANT_DB_HOST: "postgres", TENANT_DB_PORT: "5432" };

/** The six processes of the product on the running stack: their own main.ts, with handlers that do nothing. */
export const wholeFleet = (
  code: StagedCode,
  { settings, orchestratorFlags }: FleetSettings,
): Readonly<Record<string, FleetProcess>> => {
  const { tenantDb, redis, minio, images, qdrant } = stack();
  const workers: Readonly<
    Record<Exclude<(typeof fleet)[number], "saga-orchestrator">, Record<string, string>>
  > = {
    "db-worker": {
      ...tenantDbInside,
      TENANT_DB_ADMIN_USER: tenantDb.adminUser,
      TENANT_DB_ADMIN_PASSWORD: tenantDb.password,
      ...redisInside,
      REDIS_ADMIN_USER: redis.adminUser,
      REDIS_ADMIN_PASSWORD: redis.password,
    },
    "storage-worker": {
      MINIO_ENDPOINT: "http://minio:9000",
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
      ...redisInside,
      ...tenantDbInside,
    },
    "identity-worker": { IDENTITY_API_URL: "http://identity-api:5198" },
  };
  const orchestrator: FleetProcess = {
    file: code.path("apps/saga-orchestrator/src/main.ts"),
    nodeArgs: orchestratorFlags,
    environment: {
      ...settings,
      API_TOKEN: randomBytes(24).toString("hex"),
      HEALTH_PORT: String(healthPort),
    },
    healthPorts: [healthPort],
  };
  const each = Object.entries(workers).map(([name, environment]): [string, FleetProcess] => [
    name,
    {
      file: code.path(`apps/${name}/src/main.ts`),
      nodeArgs: ["--import", code.path("tests/bench/noop-hooks.ts")],
      environment: { ...settings, ...environment, HEALTH_PORT: String(healthPort) },
      healthPorts: [healthPort],
    },
  ]);
  return { "saga-orchestrator": orchestrator, ...Object.fromEntries(each) };
};
