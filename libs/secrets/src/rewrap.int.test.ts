import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, beforeEach, test } from "node:test";
import type { TenantId } from "@deeplens/contracts";
import { cleanUps, testDatabase } from "@deeplens/testing";
import { newMasterKeyLine, parseMasterKey } from "./master-key.ts";
import { createSecretStore, migrateSecrets } from "./postgres-secrets.ts";
import { keysInUse, rewrapSome } from "./rewrap.ts";

const endings = cleanUps();
after(() => endings.run());
const { pool } = await testDatabase(endings.add);
await migrateSecrets(pool);
beforeEach(() => pool.query("DELETE FROM secrets.secrets"));

const [first, second] = [newMasterKeyLine(1), newMasterKeyLine(2)];
const both = parseMasterKey(`${first}\n${second}`);
const old = createSecretStore(pool, first);
const tenants = Array.from({ length: 7 }, () => randomUUID() as TenantId);
const fill = () =>
  Promise.all(tenants.map((tenant) => old.of(tenant).ensure("key", () => `secret of ${tenant}`)));

const openedBy = async (masterKey: string): Promise<number> => {
  const store = createSecretStore(pool, masterKey);
  const read = await Promise.allSettled(tenants.map((tenant) => store.of(tenant).read("key")));
  return read.filter(
    (one, index) => one.status === "fulfilled" && one.value === `secret of ${tenants[index]}`,
  ).length;
};

test("secrets move to the current key in steps; each opens at every point, under the old key until it was moved", async () => {
  await fill();
  assert.deepEqual(await rewrapSome(pool, both, 3), { moved: 3, left: 4 });
  assert.equal(await openedBy(`${first}\n${second}`), 7);
  assert.equal(await openedBy(first), 4);
  // Stopped here; another process goes on.
  assert.deepEqual(await keysInUse(pool, both), {
    current: "v2",
    versions: [
      { version: "v1", known: true, secrets: 4 },
      { version: "v2", known: true, secrets: 3 },
    ],
  });
  assert.deepEqual(await rewrapSome(pool, both, 100), { moved: 4, left: 0 });
  assert.deepEqual(await rewrapSome(pool, both, 100), { moved: 0, left: 0 });
  assert.equal(await openedBy(second), 7);
});

test("two at once move each secret once", async () => {
  await fill();
  const steps = await Promise.all([rewrapSome(pool, both, 5), rewrapSome(pool, both, 5)]);
  const rest = await rewrapSome(pool, both, 100);
  assert.equal(
    steps.reduce((sum, { moved }) => sum + moved, rest.moved),
    7,
  );
  assert.equal(await openedBy(second), 7);
});

test("a secret that is held by somebody else is passed over, and counted as left", async () => {
  await fill();
  const other = await pool.connect();
  await other.query("BEGIN");
  await other.query("SELECT FROM secrets.secrets WHERE owner = $1 FOR UPDATE", [tenants[0]]);
  assert.deepEqual(await rewrapSome(pool, both, 100), { moved: 6, left: 1 });
  await other.query("ROLLBACK");
  other.release();
  assert.deepEqual(await rewrapSome(pool, both, 100), { moved: 1, left: 0 });
});

test("a secret under a key that is lost, or that was changed, is named, and nothing of its step is moved", async () => {
  await fill();
  const lost = parseMasterKey(second);
  await assert.rejects(rewrapSome(pool, lost, 100), /does not open.*master key v1/);
  assert.deepEqual((await keysInUse(pool, lost)).versions[0], { version: "v1", known: false, secrets: 7 });
  await pool.query("UPDATE secrets.secrets SET purpose = 'other' WHERE owner = $1", [tenants[3]]);
  await assert.rejects(rewrapSome(pool, both, 100), new RegExp(`${tenants[3]}/other/1 does not open`));
  assert.equal((await keysInUse(pool, both)).versions[0]?.secrets, 7);
});

test("what was dropped off and waits for its tenant moves too", async () => {
  const { reference } = await old.dropOffs.put({ kind: "aws_s3", value: "hush", by: "ada", lifeMs: 60_000 });
  assert.deepEqual(await rewrapSome(pool, both, 100), { moved: 1, left: 0 });
  const owner = randomUUID() as TenantId;
  const stored = await createSecretStore(pool, second).of(owner).adopt(reference, "storage.byos");
  assert.equal(stored.value, "hush");
});
