import assert from "node:assert/strict";
import { test } from "node:test";
import { type Slug, type TenantId, tenantIdOf } from "@deeplens/contracts";
import { ensureResource, labelled, nothing, removeResource } from "../resource.ts";
import type { StepHandler } from "../step.ts";
import { type CrashFixture, crashPoints, type Subtests } from "./crash-points.ts";

// A service that knows things by name, with a label for their owner.
const fixtureOf = (
  service: Map<string, TenantId>,
  handlerOf: (name: string) => StepHandler,
): CrashFixture => {
  const tenantId = tenantIdOf("test", "acme");
  const slug = "acme" as Slug;
  return {
    step: "storage",
    handler: handlerOf(slug),
    command: {
      tenant: { tenantId, slug, name: "Acme" },
      tier: "free",
      storage: { type: "deeplens" },
      administrator: { email: "a@acme.test", firstName: "A", lastName: "B" },
      inputs: {},
    },
    verifyWhole: async () => assert.deepEqual([...service], [[slug, tenantId]]),
    verifyGone: async (_receipt, { ledger }) => {
      assert.equal(service.size, 0);
      assert.deepEqual(
        ledger.rows().filter((row) => row.state !== "gone"),
        [],
      );
    },
  };
};

const bucket = (service: Map<string, TenantId>, name: string, tenantId: TenantId) => ({
  kind: "bucket",
  name,
  look: async () => {
    const owner = service.get(name);
    return owner === undefined ? nothing : labelled(owner);
  },
  create: async () => {
    assert.ok(!service.has(name), "made twice");
    service.set(name, tenantId);
  },
  remove: async () => void service.delete(name),
});

const convergent =
  (service: Map<string, TenantId>) =>
  (name: string): StepHandler => ({
    provision: async ({ tenant }, context) => {
      await ensureResource(context, tenant, bucket(service, name, tenant.tenantId));
      return { outputs: {}, resources: [] };
    },
    compensate: async ({ tenant }, context) => [
      await removeResource(context, tenant, bucket(service, name, tenant.tenantId)),
    ],
  });

const careless =
  (service: Map<string, TenantId>) =>
  (name: string): StepHandler => ({
    ...convergent(service)(name),
    provision: async ({ tenant }, context) => {
      const entry = await context.ledger.find({ kind: "bucket", name });
      if (entry === undefined) {
        await context.ledger.intend({ kind: "bucket", name });
        await context.call("create bucket", bucket(service, name, tenant.tenantId).create);
        await context.ledger.made({ kind: "bucket", name });
      } else await context.call("use bucket", async () => undefined);
      return { outputs: {}, resources: [] };
    },
  });

const recorder = (): Subtests & { passed: string[]; failed: string[] } => {
  const passed: string[] = [];
  const failed: string[] = [];
  const run = async (name: string, story: () => Promise<void>): Promise<void> => {
    await story().then(
      () => passed.push(name),
      () => failed.push(name),
    );
  };
  return { passed, failed, test: run };
};

test("a convergent step passes with a crash at each of its calls, each named by the call", async () => {
  const seen = recorder();
  await crashPoints(seen, () => {
    const service = new Map<string, TenantId>();
    return fixtureOf(service, convergent(service));
  });
  assert.deepEqual(seen.failed, []);
  assert.deepEqual(seen.passed, [
    "twice is once, and undone twice is gone",
    "provision dies after call 1 (look for bucket), then again: whole",
    "provision dies before call 2 (create bucket), after a write, then again: whole",
    "provision dies after call 2 (create bucket), then again: whole",
    "provision dies after call 1 (look for bucket), then undo: gone",
    "provision dies before call 2 (create bucket), after a write, then undo: gone",
    "provision dies after call 2 (create bucket), then undo: gone",
    "undo dies after call 1 (look for bucket), then again: gone",
    "undo dies after call 2 (remove bucket), then again: gone",
    "undo dies after call 3 (look for bucket), then again: gone",
  ]);
});

test("a step that takes its intent for the thing is found out", async () => {
  const seen = recorder();
  await crashPoints(seen, () => {
    const service = new Map<string, TenantId>();
    return fixtureOf(service, careless(service));
  });
  assert.deepEqual(seen.failed, [
    "provision dies before call 1 (create bucket), after a write, then again: whole",
  ]);
});
