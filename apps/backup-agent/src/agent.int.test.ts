import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { after, before, describe, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import {
  agentBackupsFolder,
  agentFiles,
  agentFilesFolder,
  agentPort,
  agentUser,
  type BackupListing,
  type BackupRun,
  backupListingSchema,
  backupRunSchema,
  type Manifest,
  pgpassText,
  type Verification,
  verificationSchema,
} from "@deeplens/backup";
import { type TenantToBackUp, tenantToBackUp } from "@deeplens/backup/testing";
import { labelNames } from "@deeplens/contracts";
import { createClient } from "@deeplens/postgres";
import { stack } from "@deeplens/testing";
import type { z } from "zod";

// The agent as tenants have it: its image, in a container of its own, beside the real Postgres and a real Qdrant.

const cleanUps: (() => Promise<void>)[] = [];
let source: TenantToBackUp;
before(async () => {
  source = await tenantToBackUp((work) => cleanUps.push(work));
});
after(async () => {
  for (const work of cleanUps.reverse()) await work();
});

const token = randomBytes(32).toString("base64url");
const tenantId = "6f0c1c1e-6d0b-5d5e-9d0b-2f9f3b1d7a55";

interface Agent {
  readonly name: string;
  readonly url: string;
  ask<T>(schema: z.ZodType<T>, method: string, path: string): Promise<T>;
  /** Takes a backup and waits for its end. */
  take(): Promise<BackupRun>;
  list(): Promise<BackupListing>;
  verify(id: string): Promise<Verification>;
  ready(): Promise<{ status: number; text: string }>;
  /** Runs a command in its container, as the agent's own user. */
  run(...command: readonly string[]): Promise<string>;
  /** Waits until it answers (again). */
  up(): Promise<void>;
}

const startAgent = async (changes: { apiKey?: string } = {}): Promise<Agent> => {
  const { engine, installation, image, network, database, vectors } = source;
  const chance = randomBytes(3).toString("hex");
  const name = `${installation}-backup-${chance}`;
  const volume = `${installation}_backup_${chance}_data`;
  const labels = { [labelNames.installation]: installation };
  const host = await freePort();
  await engine.ensureVolume({ name: volume, labels });
  await engine.ensureContainer({
    ...{ name, image, labels, network },
    volumes: [{ name: volume, path: agentBackupsFolder }],
    ports: [{ container: agentPort, address: "127.0.0.1", host }],
    limits: { memoryBytes: 256 * 1024 ** 2, cpus: 1, pids: 128 },
  });
  const { password, ...address } = database;
  const settings = {
    ...{ installation, tenantId, slug: "acme" },
    database: address,
    vectors: { url: vectors.url },
    schedule: "0 2 * * *",
    timeZone: "UTC",
    retentionDays: 30,
  };
  const files = Object.entries({
    [agentFiles.settings]: JSON.stringify(settings),
    [agentFiles.token]: token,
    [agentFiles.pgpass]: pgpassText(database),
    [agentFiles.vectorsApiKey]: changes.apiKey ?? vectors.apiKey,
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
  const agent = agentAt(name, `http://127.0.0.1:${host}`);
  await agent.up();
  return agent;
};

const agentAt = (name: string, url: string): Agent => {
  const ask: Agent["ask"] = async (schema, method, path) => {
    const headers = { authorization: `Bearer ${token}` };
    const response = await fetch(`${url}${path}`, { method, headers });
    const text = await response.text();
    assert.ok(response.ok, `${response.status} to ${method} ${path}: ${text}`);
    return schema.parse(JSON.parse(text));
  };
  return {
    ...{ name, url, ask },
    take: async () => {
      let run = await ask(backupRunSchema, "POST", "/v1/backups?waitMs=30000");
      while (run.state === "running")
        run = await ask(backupRunSchema, "GET", `/v1/backups/${run.id}?waitMs=30000`);
      return run;
    },
    list: () => ask(backupListingSchema, "GET", "/v1/backups"),
    verify: (id) => ask(verificationSchema, "GET", `/v1/backups/${id}/verification`),
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
        const answer = await fetch(`${url}/health/live`).catch(() => undefined);
        if (answer?.ok) return;
        if (tries > 300) throw new Error(`no agent: ${await source.engine.logs(name)}`);
        await delay(50);
      }
    },
  };
};

const freePort = async (): Promise<number> => {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
};

const doneOf = (run: BackupRun): Manifest => {
  assert.ok(run.state === "done", JSON.stringify(run));
  return run.manifest;
};

/** Holds a lock on a table until it is let go: whoever wants to read it waits. */
const lockTable = async (table: string): Promise<() => Promise<void>> => {
  const { host, port, adminUser: user, password } = stack().tenantDb;
  const database = source.database.database;
  const client = createClient({ host, port, user, password, database }, "tests");
  await client.connect();
  await client.query(`BEGIN; LOCK TABLE ${table} IN ACCESS EXCLUSIVE MODE`);
  return () => client.end();
};

const waitUntil = async (what: string, seen: () => Promise<boolean>): Promise<void> => {
  for (let tries = 0; !(await seen()); tries++) {
    if (tries > 300) throw new Error(`never seen: ${what}`);
    await delay(50);
  }
};

const snapshotsInQdrant = async (): Promise<unknown> =>
  ((await source.vectors.ask("GET", "/collections/images/snapshots")).body as { result: unknown }).result;

describe("the backup agent", () => {
  test("takes all of a tenant: what comes back from the backup is what was there", async () => {
    const agent = await startAgent();
    const manifest = doneOf(await agent.take());
    assert.deepEqual([manifest.tenantId, manifest.slug, manifest.trigger], [tenantId, "acme", "request"]);
    const [dump, images] = manifest.parts;
    assert.ok(dump?.part === "database" && images?.part === "vectors" && manifest.parts.length === 2);
    assert.deepEqual(dump.tables, [
      { schema: "public", table: "images", rows: 3 },
      { schema: "public", table: "usage", rows: 0 },
    ]);
    assert.deepEqual([images.collection, images.points], ["images", 2]);
    assert.match(dump.toolVersion, /^pg_dump \d+\.\d+/);
    assert.equal(
      dump.toolVersion.match(/\d+/)?.[0],
      dump.serverVersion.match(/\d+/)?.[0],
      "the server's major",
    );
    const folder = `${agentBackupsFolder}/${manifest.id}`;
    const restored = await agent.run("pg_restore", "--file=-", `${folder}/${dump.file}`);
    assert.match(restored, /COPY public\.images \(id, name\) FROM stdin;\n1\ta\n2\tb\n3\tc\n/);
    await restoreSnapshot(await agent.run("base64", "-w0", `${folder}/${images.file}`), "restored");
    const count = await source.vectors.ask("POST", "/collections/restored/points/count", { exact: true });
    assert.deepEqual((count.body as { result: unknown }).result, { count: 2 });
    await source.vectors.ask("DELETE", "/collections/restored");
    assert.deepEqual(await snapshotsInQdrant(), []);
    assert.deepEqual((await agent.list()).backups, [manifest]);
    assert.deepEqual(await agent.verify(manifest.id), { id: manifest.id, manifest, problems: [] });
  });

  test("without its token nothing is told and nothing is taken", async () => {
    const agent = await startAgent();
    for (const authorization of ["", "Bearer", `Bearer ${token}x`])
      for (const method of ["GET", "POST"]) {
        const answer = await fetch(`${agent.url}/v1/backups`, { method, headers: { authorization } });
        assert.equal(answer.status, 401);
      }
    const { backups, running } = await agent.list();
    assert.deepEqual([backups, running], [[], undefined]);
  });

  test("one changed byte of a part fails the read back, and a lost file too", async () => {
    const agent = await startAgent();
    const { id } = doneOf(await agent.take());
    const dump = `${agentBackupsFolder}/${id}/database.dump`;
    await agent.run("bash", "-c", `printf X | dd of=${dump} bs=1 seek=100 conv=notrunc status=none`);
    assert.match(
      (await agent.verify(id)).problems.join(),
      /^database\.dump: its checksum is not the manifest's/,
    );
    await agent.run("rm", `${agentBackupsFolder}/${id}/vectors-0001.snapshot`);
    assert.match((await agent.verify(id)).problems.join(), /vectors-0001\.snapshot: ENOENT/);
  });

  test("killed in the middle of a backup it leaves nothing that counts, and sweeps the rest when it starts", async () => {
    const agent = await startAgent();
    const letGo = await lockTable("images");
    try {
      await agent.ask(backupRunSchema, "POST", "/v1/backups");
      await waitUntil("an unfinished backup", async () => (await unfinished(agent)).length === 1);
      await source.engine.stop(agent.name, { graceMs: 0 });
    } finally {
      await letGo();
    }
    await source.engine.start(agent.name);
    await agent.up();
    assert.deepEqual(await unfinished(agent), []);
    const { backups, damaged, unknown } = await agent.list();
    assert.deepEqual([backups, damaged, unknown], [[], [], []]);
    doneOf(await agent.take());
  });

  test("a night that it missed is made up for when it starts, and what is past its time goes then", async () => {
    const agent = await startAgent();
    const old = doneOf(await agent.take());
    const manifest = `${agentBackupsFolder}/${old.id}/manifest.json`;
    await agent.run("sed", "-i", `s/"\\(started\\|finished\\)At": "20../"\\1At": "2001/`, manifest);
    await source.engine.stop(agent.name);
    await source.engine.start(agent.name);
    await agent.up();
    await waitUntil("the new backup alone", async () => {
      const { backups, running } = await agent.list();
      return running === undefined && backups.length === 1 && backups[0]?.trigger === "schedule";
    });
    assert.ok((await agent.list()).nextAt?.endsWith("T02:00:00.000Z"));
  });

  test("told to stop in the middle of a backup it ends in time and leaves nothing", async () => {
    const agent = await startAgent();
    const letGo = await lockTable("images");
    try {
      const { id } = await agent.ask(backupRunSchema, "POST", "/v1/backups");
      await waitUntil("an unfinished backup", async () => (await unfinished(agent)).length === 1);
      const began = Date.now();
      await source.engine.stop(agent.name, { graceMs: 10_000 });
      const tookMs = Date.now() - began;
      assert.ok(tookMs < 9_000, `it took ${tookMs} ms`);
      assert.match(
        await source.engine.logs(agent.name),
        new RegExp(`"backup":"${id}".*nothing of it was kept`),
      );
      assert.equal((await source.engine.container(agent.name))?.exitCode, 0);
    } finally {
      await letGo();
    }
    await source.engine.start(agent.name);
    await agent.up();
    assert.deepEqual(await unfinished(agent), []);
  });

  test("while pg_dump runs, no secret is in a command line, an environment or a log, and it runs as nobody of note", async () => {
    await source.sql(
      "CREATE TABLE IF NOT EXISTS shards (day date) PARTITION BY RANGE (day)",
      `GRANT SELECT ON shards TO "${source.database.user}"`,
    );
    const agent = await startAgent();
    // Rows are counted of tables that have some; pg_dump locks this one as well, and waits.
    const letGo = await lockTable("shards");
    let seen = "";
    try {
      await agent.ask(backupRunSchema, "POST", "/v1/backups");
      await waitUntil("pg_dump", async () => {
        seen = await agent.run(
          "bash",
          "-c",
          "cat /proc/[0-9]*/cmdline /proc/[0-9]*/environ 2>/dev/null | tr '\\0' '\\n' || true",
        );
        return seen.includes("--snapshot=");
      });
    } finally {
      await letGo();
    }
    const { running } = await agent.list();
    if (running !== undefined) await agent.ask(backupRunSchema, "GET", `/v1/backups/${running}?waitMs=30000`);
    const log = await source.engine.logs(agent.name, { lines: 500 });
    assert.match(seen, /PGPASSFILE=/);
    for (const secret of [token, source.database.password, source.vectors.apiKey])
      assert.ok(!`${seen}\n${log}`.includes(secret), "a secret is shown");
    assert.equal((await agent.run("id", "-u")).trim(), String(agentUser.uid));
    assert.equal(
      (await agent.run("bash", "-c", `stat -c %a:%u ${agentFilesFolder}/* | sort -u`)).trim(),
      `400:${agentUser.uid}`,
    );
    await source.sql("DROP TABLE shards");
  });

  test("a table that the role may not read fails the backup by name, and nothing is kept", async () => {
    await source.sql("CREATE TABLE hidden (a int)");
    try {
      const agent = await startAgent();
      const run = await agent.take();
      assert.ok(run.state === "failed");
      assert.match(run.error, /permission denied for table hidden/);
      assert.deepEqual((await agent.list()).backups, []);
      assert.deepEqual(await agent.run("ls", "-A", agentBackupsFolder), "");
    } finally {
      await source.sql("DROP TABLE hidden");
    }
  });

  test("it is not ready, and says why, while what it backs up refuses it", async () => {
    const agent = await startAgent({ apiKey: "another-key" });
    const { status, text } = await agent.ready();
    assert.equal(status, 503);
    assert.match(text, /"database":"ok".*"vectors":"Qdrant answered 401/);
    assert.ok(!text.includes("another-key"));
  });
});

const unfinished = async (agent: Agent): Promise<readonly string[]> => {
  const names = await agent.run("ls", "-A", agentBackupsFolder);
  return names.split("\n").filter((name) => name.startsWith(".taking-"));
};

const restoreSnapshot = async (base64: string, collection: string): Promise<void> => {
  const form = new FormData();
  form.append("snapshot", new Blob([Buffer.from(base64, "base64")]), "images.snapshot");
  const path = `/collections/${collection}/snapshots/upload?priority=snapshot&wait=true`;
  const { status, body } = await source.vectors.send(path, form);
  assert.equal(status, 200, JSON.stringify(body));
};
