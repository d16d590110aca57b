import { once } from "node:events";
import { topicsOf } from "@deeplens/contracts";
import { connectKafka, createCodec, ensureTopics } from "@deeplens/messaging";
import { createPool, migrate } from "@deeplens/postgres";
import {
  createSecretStore,
  type DropOffs,
  keysInUse,
  masterKeyOf,
  migrateSecrets,
  rewrapSome,
} from "@deeplens/secrets";
import { serveHealth, waitFor } from "@deeplens/service";
import type { Logger } from "@deeplens/telemetry";
import { createFleet } from "./api/fleet.ts";
import { createApi } from "./api/index.ts";
import { tablesOf } from "./api/tables.ts";
import type { Config } from "./config.ts";
import { startEngine } from "./engine/engine.ts";
import type { OnStage } from "./engine/stages.ts";
import { startHealthWatch } from "./health/watch.ts";
import { startRestoreEnds } from "./restore-ends.ts";
import type { SagaKind } from "./saga/batch.ts";
import type { SagaSettings } from "./saga/settings.ts";
import { provisioning, sagaKind } from "./saga-kind.ts";
import { ensureShards } from "./store/shard-rows.ts";

const schema = "orchestrator";

/**
 * The engine's statements are few and go by keys: planned once, and by the index also where the planner believes a table
 * small, for it may have grown by a million since it looked.
 */
const engineSession = {
  search_path: schema,
  plan_cache_mode: "force_generic_plan",
  enable_seqscan: "off",
  enable_hashjoin: "off",
  enable_mergejoin: "off",
};

const hourMs = 3_600_000;

/** Forgets dropped-off secrets that no tenant used, every hour. */
const forgetExpired = (dropOffs: DropOffs, log: Logger): NodeJS.Timeout =>
  setInterval(() => {
    dropOffs.prune().then(
      (count) => count > 0 && log.info({ count }, "forgot credentials that no tenant used"),
      (error: Error) => log.warn({ reason: error.message }, "expired credentials could not be forgotten"),
    );
  }, hourMs);

/** The saga that gives a tenant all of its parts. */
const provision = sagaKind("provision", provisioning);

/**
 * The orchestrator's process: makes what it needs (tables, topics, schemas), then runs the engine and the API until
 * the signal is aborted. Waits for services that are not up yet. `onStage` is told of the engine's stages.
 */
export const runOrchestrator = async (options: {
  readonly config: Config;
  readonly log: Logger;
  readonly signal: AbortSignal;
  readonly onStage: OnStage;
  readonly kind?: SagaKind;
}): Promise<void> => {
  const { config, log, signal, kind = provision } = options;
  const address = {
    host: config.CONTROL_DB_HOST,
    port: config.CONTROL_DB_PORT,
    database: config.CONTROL_DB_NAME,
    user: config.CONTROL_DB_USER,
    password: config.CONTROL_DB_PASSWORD,
  };
  const pool = createPool(address, { name: "saga-orchestrator", log });
  const enginePool = createPool(address, {
    name: "saga-engine",
    log,
    size: 5,
    // Who takes the shards over waits for their rows: no longer than for the group's word that they are free.
    idleTransactionMs: config.GROUP_SESSION_MS,
    settings: engineSession,
  });
  const kafka = connectKafka(
    { brokers: config.KAFKA_BROKERS, username: config.KAFKA_USERNAME, password: config.KAFKA_PASSWORD },
    { clientId: "saga-orchestrator", log },
  );
  const codec = createCodec(config.DEEPLENS_INSTALLATION, config.SCHEMA_REGISTRY_URL);
  const starting = new Map<string, string>([["start", "not yet begun"]]);
  const checks: Record<string, () => void | Promise<void>> = {
    start: () => {
      for (const [, reason] of starting) throw new Error(reason);
    },
    database: async () => {
      await pool.query("SELECT 1");
    },
  };
  const health = await serveHealth({ host: config.HEALTH_HOST, port: config.HEALTH_PORT, checks });
  const during = async <T>(what: string, work: () => Promise<T>): Promise<T> => {
    starting.set("start", `waiting for ${what}`);
    return waitFor(what, work, { log, signal });
  };

  await during("Postgres", async () => {
    await migrate(pool, schema, new URL("../migrations/", import.meta.url));
    await migrateSecrets(pool);
  });
  await ensureShards(pool, schema, config.SHARDS);
  const topics = topicsOf(kind.table.map(({ step }) => step));
  await during("Kafka", async () => {
    const admin = kafka.admin();
    try {
      await admin.connect();
      await ensureTopics(admin, config.DEEPLENS_INSTALLATION, topics, { shards: config.SHARDS });
    } finally {
      await admin.disconnect();
    }
  });
  await during("the schema registry", () => codec.prepare(topics));
  const settings: SagaSettings = {
    attempts: config.STEP_ATTEMPTS,
    backOffMs: config.BACK_OFF_MS,
    backOffMaxMs: config.BACK_OFF_MAX_MS,
    waitMs: config.WAIT_DEADLINE_MS,
    workMs: config.WORK_DEADLINE_MS,
    settleMs: config.SETTLE_MS,
    graceMs: config.REMOVAL_GRACE_MS,
    overlapMs: config.ROTATION_OVERLAP_MS,
    slugHeldMs: config.SLUG_HELD_MS,
    replacedKeptMs: config.REPLACED_KEPT_MS,
  };
  const engine = await during("the consumer group", () =>
    startEngine({
      installation: config.DEEPLENS_INSTALLATION,
      schema,
      shards: config.SHARDS,
      settings,
      kind,
      pool: enginePool,
      kafka,
      codec,
      log,
      now: () => new Date(),
      onStage: options.onStage,
      retentionDays: config.RETENTION_DAYS,
      sessionMs: config.GROUP_SESSION_MS,
      recordsAtOnce: config.RECORDS_AT_ONCE,
    }),
  );
  Object.assign(checks, engine.checks);
  const masterKey = masterKeyOf(config);
  const secrets = createSecretStore(pool, masterKey);
  const forgetting = forgetExpired(secrets.dropOffs, log);
  const api = createApi({
    pool,
    log,
    installation: config.DEEPLENS_INSTALLATION,
    shards: config.SHARDS,
    settings,
    kind,
    token: config.API_TOKEN,
    credentials: secrets,
    dropOffs: secrets.dropOffs,
    dropOffMs: config.DROP_OFF_HOURS * hourMs,
    healthEveryMs: config.HEALTH_EVERY_MS,
    fleet: createFleet(
      kafka,
      config.DEEPLENS_INSTALLATION,
      kind.table.map(({ step }) => step),
    ),
    keys: {
      inUse: () => keysInUse(pool, masterKey),
      rewrap: (atMost) => rewrapSome(pool, masterKey, atMost),
    },
  });
  const watch = startHealthWatch({
    db: { pool, tables: tablesOf(schema) },
    everyMs: config.HEALTH_EVERY_MS,
    log,
  });
  const ends = startRestoreEnds({ db: { pool, tables: tablesOf(schema) }, log });
  await api.listen({ host: config.API_HOST, port: config.API_PORT });
  starting.clear();
  log.info({ port: config.API_PORT }, "ready");

  await Promise.race([signal.aborted ? undefined : once(signal, "abort"), engine.failed]);
  clearInterval(forgetting);
  await Promise.all([watch.stop(), ends.stop()]);
  await api.close();
  await engine.stop();
  await health.close();
  await enginePool.end();
  await pool.end();
};
