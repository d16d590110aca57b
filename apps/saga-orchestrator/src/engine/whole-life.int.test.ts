import assert from "node:assert/strict";
import { after, test } from "node:test";
import { type ApiClient, ApiProblem, createApiClient, type Plan, type Tenant } from "@deeplens/client/api";
import { requestsTopic, shardOf, type TenantRemovalRequested, topicName } from "@deeplens/contracts";
import { headersOf } from "@deeplens/messaging";
import { apiToken, startHarness } from "../testing/engine-harness.ts";
import { eventually } from "../testing/eventually.ts";
import { failure, success } from "../testing/scripted-worker.ts";

// The engine, its API and Kafka are real; the parts' workers answer as they are told.

const harness = await startHarness(after);
const orchestrator = await harness.orchestrator({ settings: { SLUG_HELD_MS: "600000" } });
const fails = new Set<string>();
const worker = await harness.worker({
  script: (command) =>
    command.record === "TenantOperationRequested" &&
    fails.has(`${command.value.slug}: ${command.value.operation} at ${command.value.step}`)
      ? failure(command, true)
      : success(command),
});
const api: ApiClient = createApiClient({ url: orchestrator.apiUrl, token: apiToken, actor: "ada@laptop" });
const reason = "a test of the whole life";

const made = async (slug: string): Promise<Tenant> => {
  await harness.request(slug);
  await harness.until([slug], ["ready"]);
  return api.tenant(slug);
};
const becomes = (slug: string, state: string): Promise<Tenant> =>
  eventually(async () => {
    const tenant = await api.tenant(slug);
    assert.equal(tenant.state, state);
    return tenant;
  });
const told = (slug: string): string[] =>
  harness.lifecycle.filter((one) => one.slug === slug).map(({ record }) => record);
/** An event is published after the state that it tells can be read. */
const toldAtLast = (slug: string, expected: readonly string[]): Promise<void> =>
  eventually(() => assert.deepEqual(told(slug), expected));
const operations = (slug: string): string[] =>
  worker.seen.filter((one) => one.slug === slug).map(({ step }) => step);
const refusedAs = (code: string) => (error: unknown) => {
  assert.ok(error instanceof ApiProblem, String(error));
  assert.equal(error.problem.code, code);
  return true;
};

test("a tenant is suspended and opened again; the same act again is the same answer", async () => {
  const { tenantId } = await made("acme");
  const first = await api.actOnTenant("acme", "suspend", { tenantId, reason });
  assert.equal(first.repeated, false);
  const suspended = await becomes("acme", "suspended");
  assert.equal(suspended.suspended?.reason, reason);
  assert.equal((await api.saga(first.sagaId ?? "")).status, "done");
  const again = await api.actOnTenant("acme", "suspend", { tenantId, reason });
  assert.deepEqual([again.repeated, again.status, again.sagaId], [true, "suspended", first.sagaId]);
  await api.actOnTenant("acme", "resume", { tenantId, reason });
  await becomes("acme", "ready");
  await toldAtLast("acme", ["TenantProvisioned", "TenantSuspended", "TenantResumed"]);
});

test("a plan says what its act would do and what would refuse it, and writes nothing", async () => {
  const { tenantId } = await made("planned");
  const wish = {
    name: "Planned",
    tier: "free",
    storage: { type: "deeplens" },
    administrator: { email: "ada@acme.example", firstName: "Ada", lastName: "Lovelace" },
  } as const;
  const codes = ({ refusals }: Plan): string[] => refusals.map(({ code }) => code);
  const suspend = await api.planAct("planned", "suspend");
  assert.deepEqual([suspend.already, codes(suspend)], [false, []]);
  assert.ok(suspend.steps.includes("suspend-vectors"));
  assert.deepEqual((await api.planAct("planned", "resume")).already, true);
  assert.deepEqual(codes(await api.planAct("planned", "purge")), ["wrong-state"]);
  const tier = await api.planAct("planned", "tier", { tier: "professional" });
  assert.equal(tier.wayBack, "tenantctl tier planned free");
  // No worker of parts runs here, so nobody looked.
  assert.deepEqual(
    tier.warnings.map(({ code }) => code),
    ["use-unknown"],
  );
  assert.deepEqual(codes(await api.planRequest(wish, "another")), ["slug-taken"]);
  assert.deepEqual(codes(await api.planRequest({ ...wish, tier: "gold" }, "another")), ["tier-unknown"]);
  const fresh = await api.planRequest({ ...wish, name: "Planned too" }, "another");
  assert.deepEqual(codes(fresh), []);
  assert.ok(fresh.makes.some(({ name }) => name === "tenant_planned_too_metadata"));
  await assert.rejects(api.tenant("planned-too"), refusedAs("tenant-not-found"));
  const tenant = await api.tenant("planned");
  assert.deepEqual([tenant.state, tenant.running, tenant.tier], ["ready", null, "free"]);
  assert.equal((await api.sagas({ slug: "planned" })).items.length, 1);

  // The same rules refuse and answer when it is meant.
  await api.actOnTenant("planned", "tier", { tenantId, reason, tier: "professional" });
  await eventually(async () => assert.equal((await api.tenant("planned")).tier, "professional"));
  await becomes("planned", "ready");
  await toldAtLast("planned", ["TenantProvisioned", "TenantTierChanged"]);
  assert.equal((await api.planAct("planned", "tier", { tier: "professional" })).already, true);
});

test("a suspend that fails is undone, and the tenant is what it was", async () => {
  const { tenantId } = await made("half-open");
  fails.add("half-open: suspend at suspend-vectors");
  const { sagaId } = await api.actOnTenant("half-open", "suspend", { tenantId, reason });
  await eventually(async () => assert.equal((await api.saga(sagaId ?? "")).status, "undone"));
  const tenant = await api.tenant("half-open");
  assert.deepEqual([tenant.state, tenant.running, tenant.suspended], ["ready", null, null]);
});

test("a removal is restored inside its grace period, and another one purges when that is over", async () => {
  const { tenantId } = await made("globex");
  const { sagaId } = await api.actOnTenant("globex", "remove", { tenantId, reason });
  await eventually(async () => assert.equal((await api.saga(sagaId ?? "")).status, "waiting"));
  await assert.rejects(api.actOnTenant("globex", "suspend", { tenantId, reason }), refusedAs("act-running"));
  assert.ok((await becomes("globex", "removing")).removal);
  await api.actOnTenant("globex", "restore", { tenantId, reason });
  assert.equal((await becomes("globex", "ready")).removal, null);
  assert.equal((await api.actOnTenant("globex", "restore", { tenantId, reason })).repeated, true);

  const second = await api.actOnTenant("globex", "remove", { tenantId, reason, graceMs: 60_000 });
  await eventually(async () => assert.equal((await api.saga(second.sagaId ?? "")).status, "waiting"));
  await api.actOnTenant("globex", "grace", { tenantId, reason, graceMs: 0 });
  const removed = await becomes("globex", "removed");
  assert.ok(Date.parse(removed.removal?.slugHeldUntil ?? "") > Date.now());
  await toldAtLast("globex", [
    "TenantProvisioned",
    "TenantRemovalStarted",
    "TenantRestored",
    "TenantRemovalStarted",
    "TenantRemovalStarted",
    "TenantRemoved",
  ]);
  // Each purge twice: the second look.
  assert.equal(operations("globex").filter((step) => step === "purge-database").length, 2);

  // The name is held, then given on.
  await harness.request("globex", { requestId: "the next globex" });
  await eventually(() => assert.equal(told("globex").at(-1), "TenantProvisioningFailed"));
  await api.actOnTenant("globex", "release", { tenantId, reason });
  await harness.request("globex", { requestId: "the one after it" });
  const next = await becomes("globex", "ready");
  assert.notEqual(next.tenantId, tenantId);

  // Rule 22: what is meant for the tenant before does not hit this one.
  await assert.rejects(
    api.actOnTenant("globex", "remove", { tenantId, reason, graceMs: 0 }),
    refusedAs("tenant-differs"),
  );
  assert.equal((await api.tenant("globex")).state, "ready");
});

test("at once: no last backup, and a step that fails for good is resumed", async () => {
  const { tenantId } = await made("initech");
  fails.add("initech: purge at purge-backup");
  const { sagaId } = await api.actOnTenant("initech", "remove", { tenantId, reason, graceMs: 0 });
  await eventually(async () => assert.equal((await api.saga(sagaId ?? "")).status, "stuck"));
  await assert.rejects(
    api.actOnTenant("initech", "restore", { tenantId, reason }),
    refusedAs("purge-commanded"),
  );
  fails.clear();
  await api.act(sagaId ?? "", "resume", { reason });
  await becomes("initech", "removed");
  assert.ok(!operations("initech").includes("final-backup"));
});

test("an act on a tenant that is not there, or with a broken rule, is refused before anything is written", async () => {
  const tenantId = "6f0c1c1e-6d0b-5d5e-9d0b-2f9f3b1d7a55";
  await assert.rejects(
    api.actOnTenant("nobody", "suspend", { tenantId, reason }),
    refusedAs("tenant-not-found"),
  );
  const { tenantId: known } = await made("umbrella");
  await assert.rejects(
    api.actOnTenant("umbrella", "suspend", { tenantId: known, reason, graceMs: 5 }),
    refusedAs("request-malformed"),
  );
  await assert.rejects(
    api.actOnTenant("umbrella", "suspend", { tenantId, reason }),
    refusedAs("tenant-differs"),
  );
  await assert.rejects(
    api.actOnTenant("umbrella", "purge", { tenantId: known, reason }),
    refusedAs("wrong-state"),
  );
  await assert.rejects(
    api.actOnTenant("umbrella", "release", { tenantId: known, reason }),
    refusedAs("wrong-state"),
  );
});

const removalOf = (value: Partial<TenantRemovalRequested>, partition?: number) => {
  const record: TenantRemovalRequested = {
    requestId: "r",
    tenantId: "",
    slug: "",
    reason: "the contract ended",
    graceMs: 0,
    requestedAt: new Date().toISOString(),
    ...value,
  };
  return harness.producer.send({
    topic: topicName(harness.installation, requestsTopic),
    messages: [
      {
        key: record.slug,
        partition: partition ?? shardOf(record.slug, harness.shards),
        value: harness.codec.encode(requestsTopic, { record: "TenantRemovalRequested", value: record }),
        headers: headersOf({ id: record.requestId, record: "TenantRemovalRequested", source: "/tests" }),
      },
    ],
  });
};

test("rule 22: a removal over Kafka hits the tenant that it names and no other, from whichever partition", async () => {
  const { tenantId } = await made("hooli");
  const other = (shardOf("hooli", harness.shards) + 1) % harness.shards;
  await removalOf({ requestId: "wrong", tenantId: "6f0c1c1e-6d0b-5d5e-9d0b-2f9f3b1d7a55", slug: "hooli" });
  await eventually(() => assert.ok(told("hooli").includes("TenantRemovalRefused")));
  assert.equal((await api.tenant("hooli")).state, "ready");
  await removalOf({ requestId: "right", tenantId, slug: "hooli" }, other);
  await becomes("hooli", "removed");
  await toldAtLast("hooli", [
    "TenantProvisioned",
    "TenantRemovalRefused",
    "TenantRemovalStarted",
    "TenantRemoved",
  ]);
  assert.equal(
    harness.lifecycle.find(({ record }) => record === "TenantRemovalRefused")?.code,
    "tenant-differs",
  );
  assert.equal(harness.lifecycle.findLast(({ slug }) => slug === "hooli")?.requestId, "right");
});
