import assert from "node:assert/strict";
import { test } from "node:test";
import { given, look, type Story, undo } from "../testing/story.ts";
import {
  backOffOver,
  compensated,
  completed,
  completedLate,
  deadlinePassed,
  failedForGood,
  failedForNow,
  of,
  openIntentFound,
  passed,
  requested,
  retried,
  settleOver,
  undoFailedForGood,
} from "../testing/story-events.ts";

/** Vectors failed for good, the three that were commanded are undone; the settle time runs. */
const rolledBack = (): Story =>
  given(
    requested(),
    completed("database"),
    completed("storage"),
    failedForGood("vectors"),
    compensated("database"),
    compensated("storage"),
    compensated("vectors"),
  ).expectState("rolledBack");

const confirming = (): Story => rolledBack().when(settleOver()).expectState("confirming");

const closed = (): Story =>
  confirming()
    .when(compensated("database"), compensated("storage"), compensated("vectors"))
    .expectState("closed");

// Seen to fail: with `if (fence !== known.fence)` taken out of applyReply, all stories of rule 6 here but that of
// duplicates, and three promises of the interleavings; with applyOlder's answer to completions taken out, those about
// late ones, and the same three promises; with undoAgain's look at the reservation taken out, the slug given on.
test("rule 6: a reply of an older command moves nothing; the history has it", () => {
  const again = given(requested(), failedForNow("database"), backOffOver("database"));
  again
    .when(completed("database", "older do"))
    .expectUnmoved()
    .expectHistory(/StepCompleted \(stale\)/);
  again
    .when(failedForGood("database", "older do"))
    .expectUnmoved()
    .expectHistory(/StepFailed \(stale\)/);
  again.when(completed("database")).expectSteps({ database: "done" });
});

test("rule 6: a duplicate of a reply that was applied moves nothing", () => {
  given(requested(), completed("database")).when(completed("database")).expectUnmoved();
  given(requested(), failedForNow("database")).when(failedForNow("database")).expectUnmoved();
  given(
    requested(),
    completed("database"),
    completed("storage"),
    failedForGood("vectors"),
    compensated("storage"),
  )
    .when(compensated("storage"))
    .expectUnmoved();
});

test("rule 6: the undo that failed before does not end the one that runs now", () => {
  given(requested(), completed("database"), completed("storage"), failedForGood("vectors"))
    .when(deadlinePassed("database"))
    .expectCommands(undo("database"), undo("storage"), undo("vectors"))
    .when(compensated("database", 5))
    .expectHistory(/StepCompensated \(stale\)/)
    .expectSteps({ database: "undoing" });
});

test("rule 6: a completion that comes while its step is being undone is covered by that undo", () => {
  given(requested(), completed("database"), completed("storage"), failedForGood("vectors"))
    .when(completedLate("vectors"))
    .expectUnmoved()
    .expectHistory(/StepCompleted \(stale\)/);
});

test("rule 6: a late completion in a saga that was rolled back is undone, and the settle time starts again", () => {
  rolledBack()
    .when(passed(100_000), completedLate("vectors"))
    .expectCommands(undo("vectors"))
    .expectState("rolledBack")
    .expectTimer("settle", "settle", 180_000)
    .expectHistory(/StepCompleted \(late\)/)
    .expectAnnounced()
    .when(compensated("vectors"), passed(179_999))
    .expectCommands()
    .when(settleOver())
    .expectCommands(look("database"), look("storage"), look("vectors"));
});

test("rule 6: a late completion during the second look puts the look behind a new settle time", () => {
  confirming()
    .when(compensated("database"), completedLate("storage"))
    .expectCommands(undo("storage"))
    .expectState("rolledBack")
    .expectTimer("settle", "settle", 180_000)
    .when(compensated("vectors"), compensated("storage"))
    .expectSlug("held")
    .when(settleOver())
    .expectCommands(look("storage"))
    .when(compensated("storage"))
    .expectState("closed")
    .expectSlug("released");
});

test("rule 6: a late completion after the slug was released takes it back until the effect is gone", () => {
  closed()
    .expectSlug("released")
    .when(completedLate("database"))
    .expectCommands(undo("database"))
    .expectState("rolledBack")
    .expectSlug("held")
    .expectTimer("settle", "settle", 180_000)
    .when(compensated("database"), settleOver())
    .expectCommands(look("database"))
    .when(compensated("database"))
    .expectState("closed")
    .expectSlug("released");
});

test("rule 6: a tenant that has the slug by now is not touched by what its predecessor's worker says", () => {
  closed()
    .when(requested({ slug: "acme", requestId: "next" }))
    .expectState("forward")
    .when(of("request-of-acme", completedLate("database")))
    .expectUnmoved()
    .expectHistory(/slug given on/)
    .when(of("next", completed("database")))
    .expectState("forward")
    .expectSlug("held");
});

test("fences go on growing when the slug is given on", () => {
  let last = 0;
  closed()
    .look(({ saga }) => {
      last = Math.max(...Object.values(saga.steps).map(({ fence }) => fence));
    })
    .when(requested({ slug: "acme", requestId: "next" }))
    .look(({ step }) => {
      assert.deepEqual(
        [step("database").fence, step("storage").fence, step("vectors").fence],
        [last + 1, last + 2, last + 3],
      );
    });
});

test("a second look that failed comes again after a late completion and its settle time, by itself", () => {
  confirming()
    .when(undoFailedForGood("database"), completedLate("storage"))
    .expectState("rolledBack")
    .expectSteps({ database: "undone", storage: "undoing" })
    .when(compensated("storage"), compensated("vectors"), settleOver())
    .expectCommands(look("database"), look("storage"))
    .when(compensated("database"), compensated("storage"))
    .expectState("closed");
});

test("a late completion while the second look is stuck is undone, and the saga goes on by itself", () => {
  confirming()
    .when(compensated("database"), compensated("storage"), undoFailedForGood("vectors"))
    .expectState("stuckLook")
    .when(completedLate("database"))
    .expectCommands(undo("database"))
    .expectState("rolledBack")
    .expectTenant("rolled-back")
    .when(compensated("database"), settleOver())
    .expectCommands(look("database"), look("vectors"));
});

test("an undo that answers a late completion and fails for good needs an operator, and may be tried again", () => {
  rolledBack()
    .when(completedLate("vectors"), undoFailedForGood("vectors"))
    .expectState("stuckUndo")
    .expectTenant("stuck")
    .when(retried({ step: "vectors" }))
    .expectCommands(undo("vectors"))
    .expectState("compensating")
    .when(compensated("vectors"))
    .expectState("rolledBack")
    .expectTimer("settle", "settle", 180_000);
});

// Seen to fail: with the settle action taken out of "rolledBack" (then the saga waits in silence and the store refuses
// it), and with the "confirming" state left out, so that settleDue releases the slug at once.
test("rule 14: the slug stays reserved for the settle time and until a second look found nothing", () => {
  rolledBack()
    .expectSlug("held")
    .expectTimer("settle", "settle", 180_000)
    .when(requested({ slug: "acme", requestId: "too early" }))
    .expectRefused("slug-taken")
    .when(of("request-of-acme", settleOver()))
    .expectCommands(look("database"), look("storage"), look("vectors"))
    .expectSlug("held")
    .when(requested({ slug: "acme", requestId: "still too early" }))
    .expectRefused("slug-taken")
    .when(...["database", "storage", "vectors"].map((step) => of("request-of-acme", compensated(step))))
    .expectSlug("released")
    .when(requested({ slug: "acme", requestId: "now" }))
    .expectAccepted({ repeated: false });
});

test("rule 14: a second look is a command of its own, with a fence of its own, and undoes what it finds", () => {
  let undoFence = 0;
  rolledBack()
    .look(({ step }) => {
      undoFence = step("database").fence;
    })
    .when(settleOver())
    .look(({ messages, step }) => {
      const [first] = messages;
      assert.ok(first?.record === "TenantRollbackRequested");
      assert.equal(first.value.purpose, "second-look");
      assert.equal(first.value.step, "database");
      assert.ok(first.value.fence > undoFence);
      assert.equal(first.value.fence, step("database").fence);
    });
});

// Seen to fail: with the "sweep" case of applyInputs emptied.
test("rule 14: an open intent of a tenant that is gone is undone, and looked after again", () => {
  closed()
    .when(openIntentFound("vectors"))
    .expectCommands(undo("vectors"))
    .expectState("rolledBack")
    .expectSlug("held")
    .when(compensated("vectors"), settleOver())
    .expectCommands(look("vectors"));
});

test("rule 14: an open intent is left alone while its saga works on it, and where the slug was given on", () => {
  rolledBack()
    .when(openIntentFound("vectors"))
    .look(({ messages }) => assert.deepEqual(messages, []));
  closed()
    .when(requested({ slug: "acme", requestId: "next" }), of("request-of-acme", openIntentFound("vectors")))
    .expectCommands()
    .expectHistory(/slug given on/);
});
