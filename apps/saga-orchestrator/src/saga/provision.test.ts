import assert from "node:assert/strict";
import { test } from "node:test";
import { command, given, look, undo } from "../testing/story.ts";
import {
  backOffOver,
  compensated,
  completed,
  failedForGood,
  failedForNow,
  passed,
  requested,
  settleOver,
} from "../testing/story-events.ts";

const firstThree = [completed("database"), completed("storage"), completed("vectors")];
const allButIdentity = [...firstThree, completed("backup")];

test("a tenant is provisioned: what can be done at once is, backup and identity wait for what they need", () => {
  given(requested({ slug: "acme" }))
    .expectCommands(command("database"), command("storage"), command("vectors"))
    .expectState("forward")
    .expectTenant("provisioning")
    .expectSlug("held")
    .when(completed("database"))
    .expectCommands()
    .when(completed("vectors"))
    .expectCommands(command("backup"))
    .when(completed("backup"))
    .expectCommands()
    .when(completed("storage"))
    .expectCommands(command("identity"))
    .when(completed("identity"))
    .expectCommands()
    .expectState("ready")
    .expectTenant("ready")
    .expectAnnounced("TenantProvisioned")
    .expectSlug("held")
    .look(({ saga, messages }) => {
      assert.deepEqual(saga.timers, {});
      assert.ok(saga.finishedAt !== undefined);
      const provisioned = messages.find(({ record }) => record === "TenantProvisioned");
      assert.ok(provisioned?.record === "TenantProvisioned");
      assert.equal(provisioned.value.resources["database.name"], "the database");
    });
});

test("a command names what the steps before it put out, its fence and its deadline", () => {
  given(requested(), ...firstThree).look(({ messages, step }) => {
    const backup = messages.find(({ record }) => record === "TenantRequested");
    assert.ok(backup?.record === "TenantRequested");
    assert.deepEqual(backup.value.inputs, {
      "database.name": "the database",
      "storage.name": "the storage",
      "vectors.name": "the vectors",
    });
    assert.equal(backup.value.fence, step("backup").fence);
    assert.equal(backup.value.attempt, 1);
    assert.equal(backup.value.workMs, 300_000);
    assert.equal(backup.value.expiresAt, "2026-01-01T00:10:00.000Z");
  });
});

test("a tenant without objects of its own gets no bucket, and is ready without one", () => {
  given(requested({ storageType: "none" }))
    .expectCommands(command("database"), command("vectors"))
    .expectSteps({ storage: "skipped" })
    .when(completed("database"), completed("vectors"), completed("backup"))
    .expectCommands(command("identity"))
    .when(completed("identity"))
    .expectState("ready")
    .expectAnnounced("TenantProvisioned");
});

test("what was left out is not undone either", () => {
  given(requested({ storageType: "none" }), completed("database"), failedForGood("vectors"))
    .expectCommands(undo("database"), undo("vectors"))
    .when(compensated("database"), compensated("vectors"))
    .expectState("rolledBack")
    .expectSteps({ storage: "skipped", backup: "untouched", identity: "untouched" });
});

test("storage fails for good while database works: undo waits for it, then all three are undone", () => {
  given(requested(), completed("vectors"), failedForGood("storage"))
    .expectCommands()
    .expectState("draining")
    .expectError("storage-broken")
    .when(completed("database"))
    .expectCommands(undo("database"), undo("storage"), undo("vectors"))
    .expectState("compensating")
    .expectTenant("compensating");
});

test("a step in flight that fails while the saga turns back is not tried again, it is undone", () => {
  given(requested(), completed("vectors"), failedForGood("storage"), failedForNow("database"))
    .expectCommands(undo("database"), undo("storage"), undo("vectors"))
    .expectState("compensating")
    .expectError("storage-broken");
});

test("a step that backs off when another fails for good is not waited for", () => {
  given(requested(), completed("vectors"), failedForNow("database"), failedForGood("storage"))
    .expectCommands(undo("database"), undo("storage"), undo("vectors"))
    .expectState("compensating");
});

for (const [step, other] of [
  ["database", "vectors"],
  ["vectors", "database"],
] as const)
  test(`${step} fails for good: it is undone too, what came after was never begun`, () => {
    given(requested(), completed("storage"), completed(other), failedForGood(step))
      .expectState("compensating")
      .expectCommands(undo("database"), undo("storage"), undo("vectors"))
      .expectError(`${step}-broken`)
      .expectSteps({ backup: "untouched", identity: "untouched" });
  });

test("storage fails for good while backup works: backup is waited for, and undone", () => {
  given(requested(), completed("database"), completed("vectors"), failedForGood("storage"))
    .expectState("draining")
    .expectCommands()
    .when(completed("backup"))
    .expectCommands(undo("storage"), undo("backup"))
    .expectSteps({ identity: "untouched" });
});

test("backup fails for good: backup first, then what it stood on; storage needs no one to wait for", () => {
  given(requested(), ...firstThree, failedForGood("backup"))
    .expectCommands(undo("storage"), undo("backup"))
    .when(compensated("backup"))
    .expectCommands(undo("database"), undo("vectors"))
    .when(compensated("storage"), compensated("database"))
    .expectState("compensating")
    .expectAnnounced()
    .when(compensated("vectors"))
    .expectState("rolledBack")
    .expectTenant("rolled-back")
    .expectAnnounced("TenantProvisioningFailed")
    .look(({ messages }) => {
      const failed = messages.find(({ record }) => record === "TenantProvisioningFailed");
      assert.ok(failed?.record === "TenantProvisioningFailed");
      assert.equal(failed.value.step, "backup");
      assert.equal(failed.value.code, "backup-broken");
    });
});

test("rolled back, then the settle time, then the second look, then the slug is free", () => {
  given(
    requested(),
    ...firstThree,
    failedForGood("backup"),
    compensated("backup"),
    compensated("storage"),
    compensated("database"),
    compensated("vectors"),
  )
    .expectSlug("held")
    .expectTimer("settle", "settle", 180_000)
    .when(passed(179_999))
    .expectCommands()
    .when(settleOver())
    .expectState("confirming")
    .expectCommands(look("database"), look("storage"), look("vectors"), look("backup"))
    .when(compensated("database"), compensated("storage"), compensated("vectors"))
    .expectSlug("held")
    .when(compensated("backup"))
    .expectState("closed")
    .expectSlug("released")
    .expectTenant("rolled-back")
    .expectAnnounced()
    .look(({ saga }) => assert.deepEqual(saga.timers, {}));
});

test("a step that fails is tried again after a while, and the tenant gets ready all the same", () => {
  given(requested(), failedForNow("database"))
    .expectCommands()
    .expectState("forward")
    .expectSteps({ database: "backingOff" })
    .expectNoError()
    .when(backOffOver("database"))
    .expectCommands(command("database"))
    .look(({ step }) => assert.deepEqual(step("database").attempts, { do: 2, undo: 0, look: 0 }))
    .when(...allButIdentity, completed("identity"))
    .expectState("ready");
});

test("the wait before a try grows from one to the next, between three quarters and the whole of its step", () => {
  let story = given(requested());
  for (const wholeMs of [2_000, 10_000, 50_000, 120_000]) {
    story = story.when(failedForNow("vectors")).look(({ saga, nowMs }) => {
      const timer = saga.timers.vectors;
      assert.equal(timer?.kind, "backOff");
      const waitMs = (timer?.dueMs ?? 0) - nowMs;
      assert.ok(waitMs >= wholeMs * 0.75 && waitMs <= wholeMs, `waits ${waitMs} ms of ${wholeMs}`);
    });
    story = story.when(backOffOver("vectors")).expectCommands(command("vectors"));
  }
  // The fifth try was the last.
  story.when(failedForNow("vectors")).expectState("draining").expectError("vectors-broken");
});

test("every command has a fence higher than all before it for that slug", () => {
  const fences: number[] = [];
  const note = ({ messages }: { messages: readonly { record: string; value: unknown }[] }) => {
    for (const { record, value } of messages)
      if (record === "TenantRequested" || record === "TenantRollbackRequested")
        fences.push((value as { fence: number }).fence);
  };
  given(requested())
    .look(note)
    .when(failedForNow("database"), backOffOver("database"))
    .look(note)
    .when(completed("database"), completed("storage"), failedForGood("vectors"))
    .look(note);
  assert.equal(fences.length, 7);
  assert.ok(
    fences.every((fence, index) => fence > (fences[index - 1] ?? 0)),
    String(fences),
  );
});
