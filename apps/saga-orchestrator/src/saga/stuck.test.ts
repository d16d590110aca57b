import assert from "node:assert/strict";
import { test } from "node:test";
import { command, given, givenWith, look, type Story, undo } from "../testing/story.ts";
import {
  backOffOver,
  compensated,
  completed,
  deadlinePassed,
  failedForGood,
  failedForNow,
  requested,
  resumed,
  retried,
  settleOver,
  undoFailedForGood,
  undoFailedForNow,
} from "../testing/story-events.ts";

const compensating = (attempts = 5): Story =>
  givenWith({ attempts }, requested(), completed("database"), completed("storage"), failedForGood("vectors"));

test("an undo that fails for now is tried again after a while", () => {
  compensating()
    .when(undoFailedForNow("database"))
    .expectState("compensating")
    .expectSteps({ database: "undoBackingOff" })
    .expectCommands()
    .when(backOffOver("database"))
    .expectCommands(undo("database"));
});

test("an undo without an answer is commanded again, until no try is left", () => {
  compensating(2)
    .when(compensated("storage"), compensated("vectors"), deadlinePassed("database"))
    .expectCommands(undo("database"))
    .when(deadlinePassed("database"))
    .expectCommands()
    .expectState("stuckUndo");
});

test("an undo that fails for good waits for the others, then for an operator, with its reason", () => {
  compensating()
    .when(undoFailedForGood("database"))
    .expectState("compensating")
    .expectSteps({ database: "undoFailed", storage: "undoing" })
    .when(compensated("storage"), compensated("vectors"))
    .expectState("stuckUndo")
    .expectTenant("stuck")
    .expectError("vectors-broken")
    .expectSlug("held")
    .expectAnnounced()
    .when(retried({ step: "database" }))
    .expectAccepted({ repeated: false })
    .expectCommands(undo("database"))
    .expectState("compensating")
    .expectTenant("compensating")
    .when(compensated("database"))
    .expectState("rolledBack")
    .expectAnnounced("TenantProvisioningFailed");
});

test("what can't be undone keeps what it stands on, not what is beside it", () => {
  given(
    requested(),
    completed("database"),
    completed("storage"),
    completed("vectors"),
    failedForGood("backup"),
    undoFailedForGood("backup"),
  )
    .expectState("compensating")
    .expectSteps({ database: "done", vectors: "done", storage: "undoing", backup: "undoFailed" })
    .when(compensated("storage"))
    .expectState("stuckUndo")
    .expectSteps({ database: "done", vectors: "done", storage: "undone" })
    .when(resumed())
    .expectCommands(undo("backup"))
    .when(compensated("backup"))
    .expectCommands(undo("database"), undo("vectors"));
});

test("resume takes up every step that stopped, retry one of them", () => {
  const stuck = compensating()
    .when(undoFailedForGood("database"), undoFailedForGood("vectors"), compensated("storage"))
    .expectState("stuckUndo");
  stuck.when(resumed()).expectCommands(undo("database"), undo("vectors")).expectState("compensating");
  stuck.when(retried()).expectCommands(undo("database"), undo("vectors"));
  stuck
    .when(retried({ step: "vectors" }))
    .expectCommands(undo("vectors"))
    .expectSteps({ database: "undoFailed" })
    .when(compensated("vectors"))
    .expectState("stuckUndo");
});

test("rule 14: a second look that may not confirm yet is tried again, then waits for an operator, and the slug is held all the time", () => {
  givenWith(
    { attempts: 2 },
    requested(),
    completed("vectors"),
    failedForGood("database"),
    completed("storage"),
  )
    .when(compensated("database"), compensated("storage"), compensated("vectors"), settleOver())
    .when(compensated("database"), compensated("storage"), undoFailedForNow("vectors"))
    .expectSteps({ vectors: "lookBackingOff" })
    .expectSlug("held")
    .when(backOffOver("vectors"))
    .expectCommands(look("vectors"))
    .when(undoFailedForNow("vectors"))
    .expectState("stuckLook")
    .expectTenant("stuck")
    .expectSlug("held")
    .when(resumed())
    .expectCommands(look("vectors"))
    .when(compensated("vectors"))
    .expectState("closed")
    .expectSlug("released");
});

test("a second look that fails for good waits for an operator, and the tenant is gone when it succeeds", () => {
  compensating()
    .when(compensated("database"), compensated("storage"), compensated("vectors"), settleOver())
    .when(undoFailedForGood("vectors"))
    .expectState("confirming")
    .when(compensated("database"), compensated("storage"))
    .expectState("stuckLook")
    .expectTenant("stuck")
    .expectSlug("held")
    .when(retried())
    .expectCommands(look("vectors"))
    .expectState("confirming")
    .expectTenant("rolled-back")
    .when(compensated("vectors"))
    .expectState("closed")
    .expectTenant("rolled-back")
    .expectSlug("released");
});

test("retry of a step that backs off takes it at once, with all of its tries", () => {
  given(requested(), failedForNow("database"), retried({ step: "database" }))
    .expectAccepted({ repeated: false })
    .expectCommands(command("database"))
    .expectTimer("database", "deadline", 600_000)
    .look(({ step }) => assert.deepEqual(step("database").attempts, { do: 1, undo: 0, look: 0 }));
});

// Seen to fail with the most tries of all its work: the undo's first wait was then as long as the last one of the work.
test("an undo waits by its own count of tries, however many its work had", () => {
  const again = [failedForNow("database"), backOffOver("database")];
  given(requested(), completed("storage"), completed("vectors"), ...again, ...again, ...again, ...again)
    .when(failedForGood("database"))
    .expectCommands(undo("database"), undo("storage"), undo("vectors"))
    .when(undoFailedForNow("database"))
    .look(({ saga, nowMs }) => {
      const waitMs = (saga.timers.database?.dueMs ?? 0) - nowMs;
      assert.ok(waitMs > 0 && waitMs <= 2_000, `${waitMs} ms`);
    });
});
