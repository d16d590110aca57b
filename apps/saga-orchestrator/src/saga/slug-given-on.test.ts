import assert from "node:assert/strict";
import { test } from "node:test";
import { applyBatch } from "../testing/memory-store.ts";
import { provisionKind } from "../testing/provision-kind.ts";
import { given, undo } from "../testing/story.ts";
import {
  compensated,
  failedForGood,
  of,
  openIntentFound,
  requested,
  sagaOfRequest,
  settleOver,
} from "../testing/story-events.ts";
import { defaultSettings } from "./settings.ts";

const parts = ["database", "storage", "vectors"];
const undone = parts.map((step) => compensated(step));
/** One after another: all three fail, are undone, and looked after. */
const gone = [...parts.map((step) => failedForGood(step)), ...undone, settleOver(), ...undone];

// Seen to fail with the sweep refused for whoever had the slug before: what a stopped worker's request makes after the
// slug was given on is then undone by nobody, and every later tenant of that name fails at it.
test("rule 14: an open intent is undone once the tenant that had the slug since is gone as well", () => {
  given(requested(), ...gone)
    .when(requested({ slug: "acme", requestId: "next" }), ...gone)
    .expectState("closed")
    .when(of("request-of-acme", openIntentFound("vectors")))
    .expectCommands(undo("vectors"))
    .expectState("rolledBack")
    .expectSlug("held")
    .when(compensated("vectors"), settleOver(), ...undone)
    .expectState("closed")
    .expectSlug("released");
});

// Seen to fail with both rows written: the statement can't take one slug twice, and the batch is refused.
test("rule 2: one batch releases a slug and gives it on", () => {
  const [last] = undone.slice(-1);
  given(requested(), ...gone.slice(0, -1)).look(({ saga, stored, nowMs }) => {
    const commands = parts.map((step) => ({
      ...{ sagaId: saga.sagaId, step, work: "look" as const },
      fence: saga.steps[step]?.fence ?? 0,
    }));
    const scene = { saga, commands, nowMs };
    const events = [last, requested({ slug: "acme", requestId: "next" })];
    const { batch } = applyBatch(
      stored,
      events.flatMap((event) => (event === undefined ? [] : [event(scene).input])),
      { kind: provisionKind, settings: defaultSettings, now: new Date(nowMs) },
    );
    assert.equal(batch.sagas.get(saga.sagaId)?.status, "closed");
    assert.deepEqual(
      [...batch.changedReservations].map(({ slug, sagaId, released }) => ({ slug, sagaId, released })),
      [{ slug: "acme", sagaId: sagaOfRequest("next"), released: false }],
    );
  });
});
