import assert from "node:assert/strict";
import { randomBytes, randomUUID } from "node:crypto";
import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import {
  type AgentSettings,
  agentBackupsFolder,
  agentFiles,
  agentFilesFolder,
  agentPort,
  agentUser,
  type BackupListing,
  backupListingSchema,
  type Job,
  type JobResult,
  type JobRun,
  jobRunSchema,
  type Manifest,
  newDataKey,
  pgpassText,
  type Verification,
} from "@deeplens/backup";
import type { TenantToBackUp } from "@deeplens/backup/testing";
import { aTenantId, aWrappedKey } from "@deeplens/backup/testing/manifests";
import { labelNames } from "@deeplens/contracts";

/** An agent as tenants have it: its image, in a container of its own, beside the real services. */
export interface TestAgent {
  readonly name: string;
  readonly volume: string;
  readonly url: string;
  readonly token: string;
  readonly dataKey: string;
  /** Has it do a job under an id of its own, and waits for its end. */
  do(job: Job): Promise<JobRun>;
  /** The same for a job that must succeed. */
  done<Kind extends JobResult["kind"]>(job: Job, kind: Kind): Promise<Extract<JobResult, { kind: Kind }>>;
  /** Begins one, and does not wait. */
  begin(id: string, job: Job): Promise<JobRun>;
  see(id: string): Promise<JobRun>;
  take(): Promise<Manifest>;
  check(backup: string, restorable?: Extract<Job, { kind: "check" }>["restorable"]): Promise<Verification>;
  list(): Promise<BackupListing>;
  ready(): Promise<{ status: number; text: string }>;
  /** Runs a command in its container, as the agent's own user. */
  run(...command: readonly string[]): Promise<string>;
  /** Waits until it answers (again). */
  up(): Promise<void>;
}

export interface AgentChanges {
  readonly apiKey?: string;
  readonly dataKey?: string;
  readonly volume?: string;
  readonly settings?: Partial<AgentSettings>;
}

export const startAgent = async (source: TenantToBackUp, changes: AgentChanges = {}): Promise<TestAgent> => {
  const { engine, installation, image, network, database, vectors } = source;
  const chance = randomBytes(3).toString("hex");
  const name = `${installation}-backup-${chance}`;
  const volume = changes.volume ?? `${installation}_backup_${chance}_data`;
  const dataKey = changes.dataKey ?? newDataKey();
  const token = randomBytes(32).toString("base64url");
  const labels = { [labelNames.installation]: installation };
  const host = await freePort();
  if (changes.volume === undefined) await engine.ensureVolume({ name: volume, labels });
  await engine.ensureContainer({
    ...{ name, image, labels, network },
    volumes: [{ name: volume, path: agentBackupsFolder }],
    ports: [{ container: agentPort, address: "127.0.0.1", host }],
    limits: { memoryBytes: 384 * 1024 ** 2, cpus: 2, pids: 128 },
  });
  const files = Object.entries({
    [agentFiles.settings]: JSON.stringify({ ...settingsOf(source), ...changes.settings }),
    [agentFiles.token]: token,
    [agentFiles.dataKey]: dataKey,
    [agentFiles.pgpass]: pgpassText({ ...database, database: "*" }),
    [agentFiles.vectorsApiKey]: changes.apiKey ?? vectors.apiKey,
    [agentFiles.redisPassword]: source.redis.password,
  });
  await engine.putFiles(
    name,
    files.map(([file, content]) => ({
      path: `${agentFilesFolder}/${file}`,
      content,
      mode: 0o400,
      owner: agentUser,
    })),
  );
  await engine.start(name);
  const agent = agentAt(source, { name, volume, token, dataKey, url: `http://127.0.0.1:${host}` });
  await agent.up();
  return agent;
};

const settingsOf = ({ installation, database, redis, vectors }: TenantToBackUp): AgentSettings => {
  const { password: _, ...address } = database;
  return {
    ...{ installation, tenantId: aTenantId, slug: "acme", wrappedKey: aWrappedKey },
    database: address,
    vectors: { url: vectors.url },
    redis: { host: redis.host, port: redis.port, user: redis.user, prefix: redis.prefix },
    topic: { name: "events", asOf: new Date().toISOString(), partitions: 3, config: {} },
    schedule: "0 2 * * *",
    timeZone: "UTC",
    spreadMs: 0,
    drillDays: 7,
    retentionDays: 30,
  };
};

const agentAt = (
  source: TenantToBackUp,
  at: Pick<TestAgent, "name" | "volume" | "token" | "dataKey" | "url">,
): TestAgent => {
  const { name, url, token } = at;
  const ask = async (method: string, path: string, sent?: Job): Promise<unknown> => {
    const response = await fetch(`${url}${path}`, {
      method,
      headers: { authorization: `Bearer ${token}` },
      ...(sent !== undefined && { body: JSON.stringify(sent) }),
    });
    const text = await response.text();
    assert.ok(response.ok, `${response.status} to ${method} ${path}: ${text}`);
    return JSON.parse(text);
  };
  const agent: TestAgent = {
    ...at,
    begin: async (id, job) => jobRunSchema.parse(await ask("PUT", `/v1/jobs/${id}`, job)),
    see: async (id) => jobRunSchema.parse(await ask("GET", `/v1/jobs/${id}?waitMs=30000`)),
    do: async (job) => {
      const id = randomUUID();
      let run = await agent.begin(id, job);
      while (run.state === "running") run = await agent.see(id);
      return run;
    },
    done: async (job, kind) => {
      const run = await agent.do(job);
      assert.ok(run.state === "done", JSON.stringify(run));
      assert.equal(run.result.kind, kind);
      return run.result as Extract<JobResult, { kind: typeof kind }>;
    },
    take: async () => (await agent.done({ kind: "backup" }, "backup")).manifest,
    check: async (backup, restorable) => {
      const job = { kind: "check", backup, ...(restorable !== undefined && { restorable }) } as Job;
      return (await agent.done(job, "check")).verification;
    },
    list: async () => backupListingSchema.parse(await ask("GET", "/v1/backups")),
    ready: async () => {
      const response = await fetch(`${url}/health/ready`);
      return { status: response.status, text: await response.text() };
    },
    run: async (...command) => {
      const { exitCode, stdout, stderr } = await source.engine.exec(name, command);
      assert.equal(exitCode, 0, stderr);
      return stdout;
    },
    up: async () => {
      for (let tries = 0; ; tries++) {
        // While it starts nothing listens there; where it never does, its own log is what is told.
        const answer = await fetch(`${url}/health/live`).catch(() => undefined);
        if (answer?.ok) return;
        if (tries > 300) throw new Error(`no agent: ${await source.engine.logs(name)}`);
        await delay(50);
      }
    },
  };
  return agent;
};

const freePort = async (): Promise<number> => {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
};

export const waitUntil = async (what: string, seen: () => Promise<boolean>): Promise<void> => {
  for (let tries = 0; !(await seen()); tries++) {
    if (tries > 300) throw new Error(`never seen: ${what}`);
    await delay(50);
  }
};
