import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, afterEach, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import type { Slug, TenantId } from "@deeplens/contracts";
import { createSecretStore, migrateSecrets, newMasterKeyLine } from "@deeplens/secrets";
import { createLogger } from "@deeplens/telemetry";
import { cleanUps, testDatabase } from "@deeplens/testing";
import { migrateWorker } from "../migrate.ts";
import { createLedgerStore } from "../postgres-ledger.ts";
import type { Operation } from "../step.ts";
import { drift, probed } from "./probed.ts";
import { startProber } from "./prober.ts";

const endings = cleanUps();
after(() => endings.run());
const { pool, address } = await testDatabase(endings.add);
await migrateSecrets(pool);
await migrateWorker(pool);
const secrets = createSecretStore(pool, newMasterKeyLine());
const ledger = createLedgerStore(pool, "tests");
const log = createLogger("tests", "silent");
const stops: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0)) await stop();
  await pool.query("DELETE FROM worker.probes");
});

const prober = (probe: Operation) => {
  const started = startProber({
    ...{ installation: "test", step: "storage", probe, pool, address, ledger, secrets, log },
  });
  stops.push(started.stop);
};

const told = { name: "Acme", tier: "free", storageType: "deeplens", inputs: { "storage.bucket": "b" } };

const tenantDue = async (due = "now()"): Promise<TenantId> => {
  const tenantId = randomUUID() as TenantId;
  await pool.query(
    `INSERT INTO worker.probes (tenant_id, step, slug, told, every, due_at)
     VALUES ($1, 'storage', 'acme', $2, interval '1 hour', ${due})`,
    [tenantId, told],
  );
  return tenantId;
};

const seen = async (tenantId: TenantId, newerThan = new Date(0)) => {
  for (const until = Date.now() + 8_000; Date.now() < until; await delay(20)) {
    const { rows } = await pool.query(
      `SELECT healthy, code, reason, facts, checked_at AS at, since, due_at > now() + interval '50 minutes' AS later
       FROM worker.probes WHERE tenant_id = $1 AND date_trunc('milliseconds', checked_at) > $2`,
      [tenantId, newerThan],
    );
    if (rows[0] !== undefined) return rows[0];
  }
  throw new Error("nobody looked within 8 s");
};

const well: Operation = (_command, context) =>
  probed(context, { bucket: async () => ({ version: "1.0" }), quota: async () => ({}) });

test("a part that is due is looked at, told what its tenant is, and looked at again an hour later", async () => {
  const commands: unknown[] = [];
  prober((command, context) => {
    commands.push({ ...command.tenant, tier: command.tier, inputs: command.inputs });
    return well(command, context);
  });
  const tenantId = await tenantDue();
  const { healthy, code, facts, later } = await seen(tenantId);
  assert.deepEqual([healthy, code, later], [true, null, true]);
  assert.deepEqual([facts["bucket.ok"], facts["bucket.version"]], ["true", "1.0"]);
  assert.match(facts["bucket.latencyMs"], /^\d+$/);
  assert.deepEqual(commands, [
    { tenantId, slug: "acme", name: "Acme", tier: "free", inputs: { "storage.bucket": "b" } },
  ]);
});

test("one that is wanted now is looked at within a second, and one that is due later is not", async () => {
  prober(well);
  const later = await tenantDue("now() + interval '1 hour'");
  await delay(300); // the prober listens
  const began = Date.now();
  await seen(await tenantDue());
  assert.ok(Date.now() - began < 1_000, `${Date.now() - began} ms`);
  const { rows } = await pool.query("SELECT checked_at FROM worker.probes WHERE tenant_id = $1", [later]);
  assert.equal(rows[0].checked_at, null);
});

test("what is ill is named by its thing and code, for how long, and what is well beside it stays well", async () => {
  let broken = true;
  prober((_command, context) =>
    probed(context, {
      bucket: async () => {
        if (broken) throw drift("the bucket is not there");
        return {};
      },
      quota: async () => ({ bytes: "1" }),
    }),
  );
  const tenantId = await tenantDue();
  const first = await seen(tenantId);
  assert.deepEqual([first.healthy, first.code], [false, "bucket-drift"]);
  assert.equal(first.reason, "bucket: the bucket is not there");
  assert.deepEqual([first.facts["bucket.ok"], first.facts["quota.ok"]], ["false", "true"]);
  const again = async () => {
    await pool.query("UPDATE worker.probes SET due_at = now() WHERE tenant_id = $1", [tenantId]);
    return seen(tenantId, (await seen(tenantId)).at);
  };
  const second = await again();
  assert.deepEqual(second.since, first.since);
  broken = false;
  const third = await again();
  assert.equal(third.healthy, true);
  assert.ok(third.since > first.since);
});

test("one failure that the second look does not find again is no illness", async () => {
  let looks = 0;
  prober(async (command, context) => {
    looks += 1;
    if (looks === 1) throw new Error("connection reset");
    return well(command, context);
  });
  assert.equal((await seen(await tenantDue())).healthy, true);
  assert.equal(looks, 2);
});

test("a probe can read its tenant's secrets and change nothing, and no secret is in what it says", async () => {
  const tenantId = await tenantDue("now() + interval '1 hour'");
  const { value } = await secrets.of(tenantId).ensure("key");
  const refused: string[] = [];
  prober(async (_command, context) => {
    const key = (await context.secrets.read("key")) ?? "";
    const writes: readonly (() => Promise<unknown>)[] = [
      () => context.secrets.ensure("other"),
      () => context.secrets.remove("key"),
      () => context.ledger.intend({ kind: "bucket", name: "b" }),
      () => context.ledger.made({ kind: "bucket", name: "b" }),
    ];
    for (const write of writes)
      await Promise.resolve()
        .then(write)
        .catch((error: Error) => refused.push(error.name));
    return {
      outputs: { ok: "false", code: "x", reason: `login with ${key} refused` },
      resources: [],
      receipt: [],
    };
  });
  await pool.query("UPDATE worker.probes SET due_at = now()");
  const { reason } = await seen(tenantId);
  assert.equal(reason, "login with [secret] refused");
  assert.ok(!reason.includes(value));
  assert.equal(refused.length % 4, 0);
  assert.ok(refused.length >= 4, refused.join());
  assert.equal((await pool.query("SELECT FROM worker.ledger")).rowCount, 0);
  assert.equal(await secrets.of(tenantId).read("key"), value);
});

test("two workers look at each tenant once, and a tenant that was taken out meanwhile leaves no row", async () => {
  const looked: string[] = [];
  const slow: Operation = async (command, context) => {
    looked.push(command.tenant.tenantId);
    await delay(100);
    return well(command, context);
  };
  prober(slow);
  prober(slow);
  const tenants = await Promise.all(Array.from({ length: 9 }, () => tenantDue()));
  for (const one of tenants) await seen(one);
  assert.deepEqual(looked.sort(), [...(tenants as string[])].sort());
  const gone = await tenantDue();
  await delay(50);
  await pool.query("DELETE FROM worker.probes WHERE tenant_id = $1", [gone]);
  await delay(300);
  assert.equal((await pool.query("SELECT FROM worker.probes WHERE tenant_id = $1", [gone])).rowCount, 0);
});

test("a prober that is stopped in the middle of a look writes nothing of it", async () => {
  prober((_command, context) =>
    context.call("hang", (signal) => delay(60_000, undefined, { signal }) as Promise<never>),
  );
  const tenantId = await tenantDue();
  await delay(300);
  await stops.pop()?.();
  const { rows } = await pool.query("SELECT checked_at, slug FROM worker.probes WHERE tenant_id = $1", [
    tenantId,
  ]);
  assert.deepEqual(rows, [{ checked_at: null, slug: "acme" as Slug }]);
});
