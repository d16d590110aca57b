import assert from "node:assert/strict";
import { test } from "node:test";
import { tenantIdOf } from "@deeplens/contracts";
import { command, given, type Story, undo } from "../testing/story.ts";
import {
  aborted,
  compensated,
  completed,
  failedForGood,
  failedForNow,
  requested,
  resumed,
  retried,
  settleOver,
} from "../testing/story-events.ts";

test("abort while the first steps work: they are waited for, and undone", () => {
  given(requested(), aborted())
    .expectAccepted({ repeated: false })
    .expectState("draining")
    .expectCommands()
    .expectError("aborted")
    .when(completed("database"), completed("storage"))
    .expectCommands()
    .when(failedForGood("vectors"))
    .expectCommands(undo("database"), undo("storage"), undo("vectors"))
    .expectError("aborted")
    .when(compensated("database"), compensated("storage"), compensated("vectors"))
    .expectState("rolledBack")
    .expectAnnounced("TenantProvisioningFailed")
    .look(({ messages }) => {
      const failed = messages.find(({ record }) => record === "TenantProvisioningFailed");
      assert.ok(failed?.record === "TenantProvisioningFailed");
      assert.equal(failed.value.code, "aborted");
      assert.equal(failed.value.step, null);
      assert.match(failed.value.message, /aborted by ops: a test/);
    });
});

test("abort while a step backs off and nothing works: it is undone at once", () => {
  given(requested(), completed("storage"), completed("vectors"), failedForNow("database"), aborted())
    .expectState("compensating")
    .expectCommands(undo("database"), undo("storage"), undo("vectors"));
});

test("abort while backup works: backup is waited for, identity is never asked", () => {
  given(requested(), completed("database"), completed("storage"), completed("vectors"), aborted())
    .expectState("draining")
    .when(completed("backup"))
    .expectCommands(undo("storage"), undo("backup"))
    .expectSteps({ identity: "untouched" });
});

test("an abort of what is rolled back already is accepted, and changes nothing", () => {
  const turning = given(requested(), completed("database"), completed("storage"), failedForGood("vectors"));
  const back = turning.when(compensated("database"), compensated("storage"), compensated("vectors"));
  const gone = back.when(
    settleOver(),
    compensated("database"),
    compensated("storage"),
    compensated("vectors"),
  );
  for (const story of [turning, back, gone])
    story.when(aborted()).expectAccepted({ repeated: true }).expectUnmoved();
});

test("retry and resume of a saga that waits for nobody are refused with the state that it has", () => {
  const refused = (story: Story, act: typeof retried): Story =>
    story.when(act()).expectRefused("nothing-to-retry").expectUnmoved();
  const running = given(requested());
  const ready = running.when(
    ...["database", "storage", "vectors", "backup", "identity"].map((step) => completed(step)),
  );
  for (const story of [running, ready]) for (const act of [retried, resumed]) refused(story, act);
  ready.when(retried()).look(({ result }) => assert.equal(result?.ok === false && result.state, "ready"));
});

test("retry of a step that did not fail is refused by its name", () => {
  given(requested(), failedForNow("vectors"))
    .when(retried({ step: "database" }))
    .expectRefused("nothing-to-retry")
    .expectUnmoved()
    .look(({ result }) =>
      assert.match(result?.ok === false ? result.message : "", /step database .* is running/),
    )
    .when(retried({ step: "no-such-step" }))
    .expectRefused("nothing-to-retry")
    .expectUnmoved();
});

test("resume takes up every step that backs off", () => {
  given(requested(), failedForNow("database"), failedForNow("vectors"), resumed())
    .expectAccepted({ repeated: false })
    .expectCommands(command("database"), command("vectors"));
});

test("every act is in the history, with who did it and why", () => {
  given(requested(), aborted())
    .expectHistory(/^act: abort$/)
    .look(({ batch }) => {
      const { by, reason } = batch.history[0]?.body ?? {};
      assert.deepEqual({ by, reason }, { by: "ops", reason: "a test" });
    });
});

// Seen to fail: with the comparison of tenant ids taken out of applyAct.
test("rule 22: an act that names another tenant than the saga's is refused, whatever the act", () => {
  const tenantId = tenantIdOf("/tests/upstream", "somebody else's");
  const waiting = given(requested(), failedForNow("database"));
  for (const act of [retried, resumed, aborted])
    waiting.when(act({ tenantId })).expectRefused("tenant-differs").expectUnmoved().expectState("forward");
});

// Seen to fail: with another id in publishState, and with the revision left as it was in moveTenant.
test("rule 22: every command, lifecycle event and state record names the tenant's id, and states a growing revision", () => {
  const tenantId = tenantIdOf("/tests/upstream", "request-of-acme");
  const revisions: number[] = [];
  let story = given(requested());
  const steps = ["database", "storage", "vectors", "backup", "identity"];
  for (const event of [undefined, ...steps.map((step) => completed(step))]) {
    if (event !== undefined) story = story.when(event);
    story.look(({ messages }) => {
      for (const { record, value } of messages) {
        assert.equal("tenantId" in value && value.tenantId, tenantId, record);
        if (record === "TenantState") revisions.push(value.revision);
      }
    });
  }
  const [first = 0, second = 0, ...more] = revisions;
  assert.ok(first < second, String(revisions));
  assert.deepEqual(more, []);
});
