/** stack.json: where the host reaches each service, and which files hold the secrets. For tenantctl and the tests. */
import type { PlannedImage } from "./image-plan.ts";
import type { Ports } from "./ports.ts";
import { secretFile } from "./secret-files.ts";
import { type StateFolder, writePrivateFile } from "./state-folder.ts";

/** Writes the file. No secret is in it, only paths. */
export function writeStackFile(state: StateFolder, ports: Ports, images: readonly PlannedImage[]): void {
  writePrivateFile(state.stackFile, `${JSON.stringify(describeStack(state, ports, images), null, 2)}\n`);
}

export function describeStack(state: StateFolder, ports: Ports, images: readonly PlannedImage[]) {
  const host = "127.0.0.1";
  const url = (port: number): string => `http://${host}:${port}`;
  const image = (service: string): string => images.find(({ entry }) => entry.service === service)?.tag ?? "";
  return {
    installation: state.installation,
    network: `${state.installation}-network`,
    kafka: {
      brokers: [`${host}:${ports.kafka}`],
      username: "deeplens",
      passwordFile: secretFile(state, "kafka-password"),
    },
    schemaRegistry: { url: url(ports.schemaRegistry) },
    controlDb: {
      host,
      port: ports.postgres,
      database: "deeplens_control",
      user: "deeplens_control",
      passwordFile: secretFile(state, "control-db-password"),
    },
    tenantDb: {
      host,
      port: ports.postgres,
      adminUser: "postgres",
      passwordFile: secretFile(state, "postgres-password"),
    },
    redis: {
      host,
      port: ports.redis,
      adminUser: "default",
      passwordFile: secretFile(state, "redis-password"),
    },
    minio: {
      endpoint: url(ports.minio),
      rootUser: "deeplens-root",
      passwordFile: secretFile(state, "minio-password"),
    },
    identity: { url: url(ports.identity) },
    api: { url: url(ports.api), tokenFile: secretFile(state, "api-token") },
    masterKeyFile: state.masterKeyFile,
    images: { qdrant: image("qdrant"), backup: image("backup"), fakeGcs: image("fake-gcs") },
    qdrant: { httpPortBase: ports.qdrantHttp, grpcPortBase: ports.qdrantGrpc },
  };
}
