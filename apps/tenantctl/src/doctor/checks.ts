import type { Check } from "./check.ts";
import { backups } from "./checks/backups.ts";
import { certificates } from "./checks/certificates.ts";
import { clock } from "./checks/clock.ts";
import { containers } from "./checks/containers.ts";
import { disk } from "./checks/disk.ts";
import { engine } from "./checks/engine.ts";
import { identity } from "./checks/identity.ts";
import { kafka } from "./checks/kafka.ts";
import { minio } from "./checks/minio.ts";
import { network } from "./checks/network.ts";
import { orchestrator } from "./checks/orchestrator.ts";
import { ports } from "./checks/ports.ts";
import { postgres } from "./checks/postgres.ts";
import { qdrant } from "./checks/qdrant.ts";
import { redis } from "./checks/redis.ts";
import { registry } from "./checks/registry.ts";
import { secrets } from "./checks/secrets.ts";
import { shards } from "./checks/shards.ts";
import { versions } from "./checks/versions.ts";
import { workers } from "./checks/workers.ts";

/** Everything that the doctor looks at, in the order in which it is told. */
export const checks: readonly Check[] = [
  engine,
  network,
  containers,
  ports,
  kafka,
  registry,
  postgres,
  redis,
  minio,
  identity,
  orchestrator,
  workers,
  shards,
  secrets,
  qdrant,
  backups,
  disk,
  clock,
  versions,
  certificates,
];
