import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, before, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import type { TenantId } from "@deeplens/contracts";
import { type TestDatabase, testDatabase } from "@deeplens/testing";
import { newMasterKeyLine } from "./master-key.ts";
import { createSecretStore, migrateSecrets, type PostgresSecretStore } from "./postgres-secrets.ts";
import { secretsSuite } from "./secrets.suite.ts";

let database: TestDatabase;
let store: PostgresSecretStore;
const key = newMasterKeyLine();
const cleanUps: (() => Promise<void>)[] = [];
before(async () => {
  database = await testDatabase((work) => void cleanUps.push(work));
  await migrateSecrets(database.pool);
  // The step rows as far as a fence needs them: they belong to libs/worker.
  await database.pool.query(`CREATE SCHEMA worker`);
  await database.pool.query(
    `CREATE TABLE worker.parts (slug text, step text, fence bigint, PRIMARY KEY (slug, step))`,
  );
  store = createSecretStore(database.pool, key);
});
after(async () => {
  for (const cleanUp of cleanUps.reverse()) await cleanUp();
});

secretsSuite("postgres", async () => ({
  store,
  raise: async ({ slug, step, fence }) => {
    await database.pool.query(
      `INSERT INTO worker.parts VALUES ($1, $2, $3) ON CONFLICT (slug, step) DO UPDATE SET fence = excluded.fence`,
      [slug, step, fence],
    );
  },
}));

const tenant = (): TenantId => randomUUID() as TenantId;

// Seen to fail with an upsert in place of DO NOTHING.
test("rule 16: a secret that another try stores at the same moment is the one that both use", async () => {
  const owner = tenant();
  const { value } = await store.of(owner).ensure("key");
  const other = await database.pool.connect();
  await other.query("BEGIN");
  await other.query(
    "CREATE TEMP TABLE stored ON COMMIT DROP AS SELECT * FROM secrets.secrets WHERE owner = $1",
    [owner],
  );
  await database.pool.query("DELETE FROM secrets.secrets WHERE owner = $1", [owner]);
  await other.query("INSERT INTO secrets.secrets SELECT * FROM stored");
  const mine = store.of(owner).ensure("key", () => "another");
  await delay(100);
  await other.query("COMMIT");
  other.release();
  assert.equal((await mine).value, value);
});

test("what lies in the table is not the secret, and a row moved to another tenant does not open", async () => {
  const [mine, other] = [tenant(), tenant()];
  const { value } = await store.of(mine).ensure("key");
  const { rows } = await database.pool.query("SELECT ciphertext FROM secrets.secrets WHERE owner = $1", [
    mine,
  ]);
  assert.ok(!(rows[0].ciphertext as Buffer).includes(value));
  await database.pool.query("UPDATE secrets.secrets SET owner = $2 WHERE owner = $1", [mine, other]);
  await assert.rejects(store.of(other).read("key"));
});

test("showing a tenant's secrets records who, when and why, and nothing unwrites that", async () => {
  const owner = tenant();
  const { value } = await store.of(owner).ensure("b");
  await store.of(owner).ensure("a", () => "first");
  const shown = await store.revealed({ tenantId: owner, by: "ada", reason: "hand-over" });
  assert.deepEqual(shown, [
    { purpose: "a", value: "first" },
    { purpose: "b", value },
  ]);
  const { rows } = await database.pool.query(
    "SELECT actor, reason, purposes FROM secrets.reveals WHERE owner = $1",
    [owner],
  );
  assert.deepEqual(rows, [{ actor: "ada", reason: "hand-over", purposes: ["a", "b"] }]);
  for (const statement of [
    "UPDATE secrets.reveals SET actor = 'x'",
    "DELETE FROM secrets.reveals",
    "TRUNCATE secrets.reveals",
  ])
    await assert.rejects(database.pool.query(statement), /append-only/);
});

test("after a rotation of the master key old secrets read and new ones take the new key", async () => {
  const owner = tenant();
  const { value } = await store.of(owner).ensure("old");
  const rotated = createSecretStore(database.pool, `${key}\n${newMasterKeyLine(2)}`);
  assert.equal(await rotated.of(owner).read("old"), value);
  await rotated.of(owner).ensure("new");
  await assert.rejects(store.of(owner).read("new"), /master key v2/);
});

test("what lies in the drop-offs is not the secret, and nothing of it is left when a tenant took it", async () => {
  const { reference } = await store.dropOffs.put({
    kind: "gcs",
    value: "hush-hush",
    by: "ada",
    lifeMs: 60_000,
  });
  const row = async () => {
    const { rows } = await database.pool.query("SELECT * FROM secrets.drop_offs WHERE id = $1", [
      reference.slice("drop:".length),
    ]);
    return rows[0];
  };
  const waiting = await row();
  assert.equal(waiting.actor, "ada");
  assert.ok(!(waiting.ciphertext as Buffer).includes("hush"));
  await store.of(tenant()).adopt(reference, "key");
  const { ciphertext, nonce, key_version: keyVersion } = await row();
  assert.deepEqual([ciphertext, nonce, keyVersion], [null, null, null]);
});
