import { randomBytes } from "node:crypto";
import { access, constants, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { abandonFetched, drillFolder, halfFetched } from "@deeplens/backup";
import { pause, runProcess } from "@deeplens/service";
import { createLogger } from "@deeplens/telemetry";
import agentPackage from "../package.json" with { type: "json" };
import { createAgent } from "./agent.ts";
import { backupFiles } from "./backup-files.ts";
import { readAgentConfig } from "./config.ts";
import { postgresDatabase } from "./database.ts";
import { serveApi } from "./http-api.ts";
import { redisKeys } from "./keys.ts";
import { sweepUnfinished } from "./sweep.ts";
import { qdrantVectors } from "./vectors.ts";

const config = readAgentConfig();
const { folder, settings, files, key } = config;
const log = createLogger("backup-agent", config.logLevel).child({ tenant: settings.slug });
const dueMs = 60_000;

await runProcess(log, async (signal) => {
  const database = postgresDatabase(settings.database, { pgpass: files.pgpass, path: config.path });
  const vectors = qdrantVectors(settings.vectors.url, files.vectorsApiKey);
  const keys = redisKeys(settings.redis, files.redisPassword);
  const agent = createAgent({
    ...{ settings, key, folder, log, signal },
    sources: { database, vectors, keys },
    toolVersion: `backup-agent ${agentPackage.version}`,
    path: config.path,
    now: () => new Date(),
    random: () => randomBytes(3),
  });
  // Before anything can start a job: what is unfinished now is a crash's.
  await sweepUnfinished(folder, vectors, log);
  for (const id of await halfFetched(folder)) await abandonFetched(folder, id);
  await rm(join(folder, drillFolder), { recursive: true, force: true });
  const api = await serveApi({
    host: config.host,
    port: config.port,
    token: (await readFile(files.token, "utf8")).trim(),
    agent,
    files: backupFiles(folder),
    checks: {
      folder: () => access(folder, constants.W_OK),
      database: database.check,
      vectors: vectors.check,
      redis: keys.check,
    },
    log,
  });
  log.info({ port: api.port, nextAt: (await agent.list()).nextAt }, "listening");
  while (!signal.aborted) {
    await agent
      .doWhatIsDue()
      .catch((error: unknown) => log.error({ err: error }, "what is due can't be told"));
    await pause(dueMs, signal);
  }
  await api.close();
  await agent.settled();
});
