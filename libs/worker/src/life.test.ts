import assert from "node:assert/strict";
import { test } from "node:test";
import type { Slug, TenantId } from "@deeplens/contracts";
import { lifeOperations } from "./life.ts";
import { labelled, removeResource } from "./resource.ts";
import type { OperationCommand, StepContext } from "./step.ts";
import { memoryLedger } from "./testing/memory-ledger.ts";
import { testContext } from "./testing/test-context.ts";

const tenant = {
  tenantId: "79c28c6d-5322-57b4-9be8-0b62424c1131" as TenantId,
  slug: "acme" as Slug,
  name: "Acme",
};
const bucket = { kind: "bucket", name: "b" };

const rigOf = async () => {
  const seen: string[] = [];
  const context = testContext({ step: "storage", tenant, ledger: memoryLedger() });
  await context.ledger.intend(bucket);
  await context.ledger.made(bucket);
  const mark = async () => (await context.ledger.find(bucket))?.mark;
  const note = (what: string) => async (_command: OperationCommand, _context: StepContext) => {
    seen.push(`${what}: ${await mark()}`);
    return { outputs: {}, resources: [], receipt: [] };
  };
  const operations = lifeOperations({
    suspend: note("suspend"),
    resume: note("resume"),
    purge: note("purge"),
  });
  const act = (operation: string, sagaId: string) =>
    operations[operation]?.(
      {
        ...{ tenant, sagaId, operation, parameters: {}, inputs: {} },
        ...{ tier: "free", storage: "deeplens" },
      },
      context,
    );
  return { context, seen, act };
};

const notMarked = (error: unknown): boolean => (error as { code?: string }).code === "not-marked";

// Seen to fail with the mark written after the work, and with a purge that does not ask.
test("rule 17: suspend marks before it acts, resume clears before it acts, and a purge acts on its own mark alone", async () => {
  const { seen, act } = await rigOf();
  await act("suspend", "removal 1");
  await assert.rejects(async () => act("purge", "removal 2"), notMarked);
  await act("purge", "removal 1");
  await act("resume", "restore 1");
  await assert.rejects(async () => act("purge", "removal 1"), notMarked);
  assert.deepEqual(seen, ["suspend: removal 1", "purge: removal 1", "resume: undefined"]);
});

// Seen to fail with removeResource that does not ask for the mark.
test("rule 17: a thing with our label and without a row, or another removal's mark, is not purged", async () => {
  const { context } = await rigOf();
  let removed = 0;
  const port = (name: string) => ({
    ...{ kind: "bucket", name },
    look: async () => labelled(tenant.tenantId),
    remove: async () => {
      removed += 1;
    },
  });
  for (const name of ["b", "unknown to the ledger"])
    await assert.rejects(removeResource(context, tenant, port(name), { sagaId: "removal" }), notMarked);
  assert.equal(removed, 0);
});
