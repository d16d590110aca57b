/** Seen to fail with fences, and with revisions, that only count: after(last) = last + 1. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { command, given, type Seen, type Story } from "../testing/story.ts";
import {
  completed,
  completedLate,
  deadlinePassed,
  failedForGood,
  passed,
  requested,
} from "../testing/story-events.ts";

const steps = ["database", "storage", "vectors", "backup", "identity"];

test("rule 21: replies of before the control database was lost move nothing; the saga ends by those of today, once", () => {
  const then = given(requested(), completed("database"));
  const anew = then.setBackTo("empty").when(passed(60_000), requested());
  anew.expectCommands(command("database"), command("storage"), command("vectors")).expectState("forward");
  for (const old of [
    completedLate("database"),
    completedLate("vectors"),
    failedForGood("storage", "older do"),
  ])
    anew
      .when(old)
      .expectUnmoved()
      .expectHistory(/\(stale\)/);
  anew
    .when(completedLate("database"), ...steps.map((step) => completed(step)))
    .expectState("ready")
    .expectAnnounced("TenantProvisioned")
    .when(completedLate("database"))
    .expectUnmoved();
});

test("rule 21: a control database that was set back gives fences above those that were given since", () => {
  const then = given(requested());
  const tried = then.when(deadlinePassed("database")).when(passed(60_000));
  const back = tried.setBackTo(then).when(deadlinePassed("database"), passed(60_000));
  back
    .when(completedLate("database"))
    .expectUnmoved()
    .when(completed("database"))
    .expectSteps({ database: "done" });
});

test("rule 05: a tenant's revisions go on above those that a lost database gave it", () => {
  const revisionsOf = (story: Story): number[] => {
    const seen: number[] = [];
    story.look(({ messages }: Seen) => {
      for (const { record, value } of messages) if (record === "TenantState") seen.push(value.revision);
    });
    return seen;
  };
  const ready = given(requested(), ...steps.map((step) => completed(step)));
  const [last = 0] = revisionsOf(ready);
  const [first = 0] = revisionsOf(ready.setBackTo("empty").when(passed(60_000), requested()));
  assert.ok(first > last, `${first} after ${last}`);
});
