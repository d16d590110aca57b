import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { access, constants, readFile } from "node:fs/promises";
import { backupPath, hasBackup, readBack, readContents, readManifest } from "@deeplens/backup";
import { runProcess } from "@deeplens/service";
import { createLogger } from "@deeplens/telemetry";
import agent from "../package.json" with { type: "json" };
import { createBackupRuns } from "./backup-runs.ts";
import { readAgentConfig } from "./config.ts";
import { postgresDatabase } from "./database.ts";
import { type Backups, serveApi } from "./http-api.ts";
import { startSchedule } from "./schedule.ts";
import { sweepUnfinished } from "./sweep.ts";
import { takeBackup } from "./take-backup.ts";
import { qdrantVectors } from "./vectors.ts";

const config = readAgentConfig();
const { folder, settings, files } = config;
const { tenantId, slug } = settings;
const log = createLogger("backup-agent", config.logLevel).child({ tenant: slug });
const toolVersion = `backup-agent ${agent.version}`;
const now = (): Date => new Date();

await runProcess(log, async (signal) => {
  const database = postgresDatabase(settings.database, { pgpass: files.pgpass, path: config.path });
  const vectors = qdrantVectors(settings.vectors.url, files.vectorsApiKey);
  const runs = createBackupRuns({
    folder,
    log,
    now,
    retentionDays: settings.retentionDays,
    random: () => randomBytes(3),
    take: async (id, trigger) => {
      await sweepUnfinished(folder, vectors, log);
      const plan = { folder, id, tenantId, slug, trigger, toolVersion, now, signal };
      return takeBackup(plan, database, vectors);
    },
  });
  // Before anything can start a backup: what is unfinished now is a crash's.
  await sweepUnfinished(folder, vectors, log);
  const schedule = startSchedule(settings, () => runs.start("schedule"));
  const backups: Backups = {
    start: () => runs.start("request"),
    see: runs.see,
    list: async () => ({
      tenantId,
      ...(await readContents(folder)),
      ...(runs.running() !== undefined && { running: runs.running() }),
      nextAt: schedule.nextAt().toISOString(),
    }),
    verify: async (id) => {
      if (!(await hasBackup(folder, id))) return undefined;
      const reading = await readManifest(folder, id);
      if (!reading.ok) return { id, problems: [reading.reason] };
      const { manifest } = reading;
      const problems = await readBack(backupPath(folder, id), manifest, database.listDump, signal);
      return { id, manifest, problems };
    },
  };
  const api = await serveApi({
    host: config.host,
    port: config.port,
    token: (await readFile(files.token, "utf8")).trim(),
    backups,
    checks: {
      folder: () => access(folder, constants.W_OK),
      database: database.check,
      vectors: vectors.check,
    },
    log,
  });
  log.info({ port: api.port, nextAt: schedule.nextAt() }, "listening");
  const newest = (await readContents(folder)).backups.at(-1);
  // A tenant's very first backup is its worker's to ask for; after that no due one is left out.
  if (newest !== undefined && schedule.missedSince(new Date(newest.startedAt), now())) runs.start("schedule");
  if (!signal.aborted) await once(signal, "abort");
  schedule.stop();
  await api.close();
  await runs.settled();
});
