import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, beforeEach, test } from "node:test";
import { pathToFileURL } from "node:url";
import { createLogger } from "@deeplens/telemetry";
import { testDatabase } from "@deeplens/testing";
import { migrate } from "./migrate.ts";
import { createPool, type PoolClient, sqlStateOf } from "./pool.ts";
import { inTransaction } from "./transaction.ts";

const { pool, address } = await testDatabase(after);
const log = createLogger("test", "silent");

/** A folder with these migrations, by name. */
const folderOf = async (files: Readonly<Record<string, string>>): Promise<URL> => {
  const folder = await mkdtemp(join(tmpdir(), "migrations-"));
  after(() => rm(folder, { recursive: true }));
  for (const [name, sql] of Object.entries(files)) await writeFile(join(folder, name), sql);
  return pathToFileURL(`${folder}/`);
};
const first = {
  "0001-things.sql": "CREATE TABLE things (id bigint PRIMARY KEY); INSERT INTO things VALUES (1)",
};
const second = { "0002-more.sql": "INSERT INTO things VALUES (2)" };

beforeEach(async () => {
  await pool.query("DROP SCHEMA IF EXISTS app CASCADE");
});

test("migrations run once, in order; what is new later is run then", async () => {
  assert.deepEqual(await migrate(pool, "app", await folderOf(first)), ["0001-things.sql"]);
  const both = await folderOf({ ...second, ...first, "notes.txt": "no migration" });
  assert.deepEqual(await migrate(pool, "app", both), ["0002-more.sql"]);
  assert.deepEqual(await migrate(pool, "app", both), []);
  const { rows } = await pool.query("SELECT id FROM app.things ORDER BY id");
  assert.deepEqual(rows, [{ id: 1 }, { id: 2 }]);
});

// Seen to fail with the advisory lock taken out: most of them fail on what another one makes.
test("processes that start together wait for one another, and one of them migrates", async () => {
  const folder = await folderOf({
    ...first,
    "0002-slow.sql": "SELECT pg_sleep(0.2); INSERT INTO things VALUES (2)",
  });
  const ran = await Promise.all(Array.from({ length: 6 }, () => migrate(pool, "app", folder)));
  assert.deepEqual(
    ran.flat().sort(),
    ["0001-things.sql", "0002-slow.sql"],
    "each was run, once, by whoever came first",
  );
});

test("a migration that fails leaves nothing of itself, names itself, and is run when it is mended", async () => {
  const broken = await folderOf({
    ...first,
    "0002-more.sql": "INSERT INTO things VALUES (2); SELECT nothing",
  });
  await assert.rejects(migrate(pool, "app", broken), /migration app\/0002-more\.sql: column "nothing"/);
  assert.equal((await pool.query("SELECT FROM app.things")).rowCount, 1);
  // Its connection, and the lock with it, is not kept by the pool.
  assert.deepEqual(await migrate(pool, "app", await folderOf({ ...first, ...second })), ["0002-more.sql"]);
});

test("a migration that was changed after it was run is refused, and so is a program that lacks one", async () => {
  await migrate(pool, "app", await folderOf({ ...first, ...second }));
  const changed = await folderOf({ ...first, "0002-more.sql": "INSERT INTO things VALUES (3)" });
  await assert.rejects(
    migrate(pool, "app", changed),
    /0002-more\.sql was changed after schema app had run it/,
  );
  await assert.rejects(migrate(pool, "app", await folderOf(first)), /has migration 0002-more\.sql, .* older/);
});

test("a transaction whose work throws leaves nothing behind, and its connection goes back whole", async () => {
  await migrate(pool, "app", await folderOf(first));
  const failing = inTransaction(pool, async (client) => {
    await client.query("INSERT INTO app.things VALUES (7)");
    throw new Error("no");
  });
  await assert.rejects(failing, /no/);
  assert.equal((await pool.query("SELECT FROM app.things WHERE id = 7")).rowCount, 0);
  assert.equal(await inTransaction(pool, async (client) => (await client.query("SELECT 1")).rowCount), 1);
});

// Two that lock the same two rows in opposite orders: Postgres ends one of them, which starts again.
test("rule 02: a real deadlock is tried again, and both do their work", async () => {
  await migrate(pool, "app", await folderOf({ ...first, ...second }));
  await pool.query("ALTER TABLE app.things ADD done int NOT NULL DEFAULT 0");
  let tries = 0;
  const locked = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const work = (mine: number) => async (client: PoolClient) => {
    tries += 1;
    const add = (id: number) => client.query("UPDATE app.things SET done = done + 1 WHERE id = $1", [id]);
    await add(mine + 1);
    locked[mine]?.resolve();
    await locked[1 - mine]?.promise;
    await add(2 - mine);
  };
  await Promise.all([inTransaction(pool, work(0)), inTransaction(pool, work(1))]);
  assert.ok(tries > 2, `${tries} tries`);
  const { rows } = await pool.query("SELECT done FROM app.things ORDER BY id");
  assert.deepEqual(rows, [{ done: 2 }, { done: 2 }]);
});

test("whole numbers come as numbers; a statement that takes too long is ended, and so is a transaction that idles", async (t) => {
  const impatient = createPool(address, {
    name: "impatient",
    log,
    size: 1,
    statementMs: 200,
    idleTransactionMs: 200,
  });
  t.after(() => impatient.end());
  const { rows } = await impatient.query("SELECT 9007199254740991::bigint AS n");
  assert.equal(rows[0]?.n, Number.MAX_SAFE_INTEGER);
  await assert.rejects(impatient.query("SELECT pg_sleep(5)"), (error) => sqlStateOf(error) === "57014");
  const idle = inTransaction(impatient, async (client) => {
    await client.query("SELECT 1");
    await new Promise((resolve) => setTimeout(resolve, 600));
    await client.query("SELECT 1");
  });
  await assert.rejects(idle);
  // The connection that the server ended is not given out again.
  assert.equal((await impatient.query("SELECT 1")).rowCount, 1);
});
