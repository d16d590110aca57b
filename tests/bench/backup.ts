import assert from "node:assert/strict";
import { setTimeout as delay } from "node:timers/promises";
import { agentBackupsFolder, agentFiles, agentFilesFolder } from "@deeplens/backup";
import { type TenantToBackUp, tenantToBackUp } from "@deeplens/backup/testing";
import { startAgent, type TestAgent } from "@deeplens/backup-agent/testing";
import { createClient, quoteIdentifier } from "@deeplens/postgres";
import { cleanUps, stack } from "@deeplens/testing";
import Docker from "dockerode";
import type { Benchmark, Progress } from "./benchmark.ts";
import { wholeNumbers } from "./flags.ts";
import type { Measures } from "./statistics.ts";
import { pssOf, pssOfProcess } from "./usage.ts";

/** A tenant's backup and its restore, against Postgres's own tools in the same container, one after the other. */
export const backup: Benchmark = {
  about: "a tenant's backup and restore against plain pg_dump and pg_restore, and the agent's memory",
  runs: 1,
  flags: {
    mb: { type: "string", value: "N,N", default: "200,2000", help: "sizes of the database, in MB" },
  },
  notes: `backup_ms: one backup as a tenant has it (dump, vectors, Redis keys, encrypted, read back, each table's checksum);
plain_dump_ms: \`pg_dump -Fc\` of the same database in the same container, right before. restore_ms: into an empty database,
each table's rows and checksum compared; plain_restore_ms: \`pg_restore\` of the plain dump; each the mean of two, one before
the other and one after it, for the server is still writing what came before. The ratios are to be 1.15 at
most. agent_idle_mb and agent_peak_mb: what the agent's process holds (PSS), looked at four times a second; peak_mb: with
pg_dump beside it.

It runs on the services of a running installation, in a database and containers of its own, and removes them. A size of
2000 takes 6 GB of disk for a while.`,
  example: "--mb 200",
  prepare: async (values, progress) => {
    const sizes = wholeNumbers(values, "mb", 1);
    const last = cleanUps();
    try {
      const source = await tenantToBackUp(last.add);
      const agent = await startAgent(source);
      return {
        variants: sizes.map((mb) => ({
          name: `${mb} MB`,
          run: (say) => measure(source, agent, mb, say),
        })),
        end: () => last.run(),
      };
    } catch (error) {
      progress("removing what was made");
      await last.run();
      throw error;
    }
  },
};

const measure = async (
  source: TenantToBackUp,
  agent: TestAgent,
  mb: number,
  say: Progress,
): Promise<Measures> => {
  say("filling the database");
  await source.sql("DROP TABLE IF EXISTS bulk", ...bulk(mb, source.database.user), "CHECKPOINT");
  const idleMb = (await memoryOf(agent)).agent;
  const plain = `${agentBackupsFolder}/plain.dump`;
  say("pg_dump");
  const plainDumpMs = await timed(() => tool(source, agent, `pg_dump ${where(source)} -Fc -f ${plain}`));
  say(`${seconds(plainDumpMs)}; the backup`);
  const watch = watchMemory(agent);
  let backupId = "";
  const backupMs = await timed(async () => {
    backupId = (await agent.take()).id;
  });
  const peak = await watch.end();
  say(`${seconds(backupMs)}; pg_restore`);
  const restored = `${source.database.database}_restored`;
  const byTool = () =>
    inEmptyDatabase(source, restored, () =>
      tool(
        source,
        agent,
        `pg_restore ${where(source, restored)} --exit-on-error --no-owner --no-privileges ${plain}`,
      ),
    );
  const byAgent = () =>
    inEmptyDatabase(source, restored, async () => {
      const job = { kind: "restore-database", backup: backupId, database: restored } as Parameters<
        TestAgent["do"]
      >[0];
      const { compared } = await agent.done(job, "restored");
      assert.equal(compared.tables, 3);
    });
  // Each once before and once after the other: the server and the disk are still at what came before.
  const first = [await byTool(), await byAgent()] as const;
  say(`${seconds(first[0])}; the restore: ${seconds(first[1])}; both again, the other way round`);
  const second = [await byAgent(), await byTool()] as const;
  const restoreMs = (first[1] + second[0]) / 2;
  const plainRestoreMs = (first[0] + second[1]) / 2;
  say(`the restore: ${seconds(second[0])}; pg_restore: ${seconds(second[1])}`);
  await agent.run("sh", "-c", `rm -r ${plain} ${agentBackupsFolder}/${backupId}`);
  return {
    plain_dump_ms: plainDumpMs,
    backup_ms: backupMs,
    backup_ratio: backupMs / plainDumpMs,
    plain_restore_ms: plainRestoreMs,
    restore_ms: restoreMs,
    restore_ratio: restoreMs / plainRestoreMs,
    agent_idle_mb: idleMb,
    agent_peak_mb: peak.agent,
    peak_mb: peak.all,
  };
};

/** Rows of about 1 KB that halve when they are compressed, as metadata does. */
const bulk = (mb: number, reader: string): string[] => [
  "CREATE TABLE bulk (id bigint, at timestamptz, content text)",
  `INSERT INTO bulk SELECT id, now(), (SELECT string_agg(encode(sha512((id || '-' || part)::bytea), 'hex'), '') FROM generate_series(1, 7) part)
   FROM generate_series(1, ${mb * 1_000}) id`,
  "ALTER TABLE bulk ADD PRIMARY KEY (id)",
  `GRANT SELECT ON bulk TO ${quoteIdentifier(reader)}`,
];

const where = ({ database }: TenantToBackUp, name = database.database): string =>
  `--no-password --host=${database.host} --port=${database.port} --username=${database.user} --dbname=${name}`;

/** One of Postgres's tools in the agent's container, with its credentials. */
const tool = async (source: TenantToBackUp, agent: TestAgent, command: string): Promise<void> => {
  const script = `PGPASSFILE=${agentFilesFolder}/${agentFiles.pgpass} ${command}`;
  const { exitCode, stderr } = await source.engine.exec(agent.name, ["sh", "-c", script], {
    timeoutMs: 3_600_000,
  });
  assert.equal(exitCode, 0, stderr);
};

/** How long the work takes in an empty database, in ms, begun when the server has written what came before. */
const inEmptyDatabase = async (
  source: TenantToBackUp,
  name: string,
  work: () => Promise<void>,
): Promise<number> => {
  const { host, port, adminUser: user, password } = stack().tenantDb;
  const client = createClient({ host, port, user, password, database: "postgres" }, "bench");
  await client.connect();
  const quoted = quoteIdentifier(name);
  try {
    await client.query(`DROP DATABASE IF EXISTS ${quoted} WITH (FORCE)`);
    await client.query(
      `CREATE DATABASE ${quoted} OWNER ${quoteIdentifier(source.database.user)} TEMPLATE template0`,
    );
    await client.query("CHECKPOINT");
    return await timed(work);
  } finally {
    await client.query(`DROP DATABASE IF EXISTS ${quoted} WITH (FORCE)`);
    await client.end();
  }
};

const timed = async (work: () => Promise<void>): Promise<number> => {
  const beganMs = performance.now();
  await work();
  return performance.now() - beganMs;
};

const seconds = (ms: number): string => `${(ms / 1_000).toFixed(1)} s`;

interface Memory {
  /** The agent's own process. */
  readonly agent: number;
  /** All of its container's. */
  readonly all: number;
}

const memoryOf = async ({ name }: TestAgent): Promise<Memory> => {
  const { State } = await new Docker().getContainer(name).inspect();
  const all = (await pssOf({ processes: {}, containers: [name] }))[name] ?? Number.NaN;
  return { agent: await pssOfProcess(State.Pid), all };
};

const watchMemory = (agent: TestAgent): { end(): Promise<Memory> } => {
  let peak: Memory = { agent: 0, all: 0 };
  let over = false;
  const watching = (async () => {
    while (!over) {
      const seen = await memoryOf(agent);
      peak = { agent: Math.max(peak.agent, seen.agent), all: Math.max(peak.all, seen.all) };
      await delay(250);
    }
  })();
  return {
    end: async () => {
      over = true;
      await watching;
      return peak;
    },
  };
};
