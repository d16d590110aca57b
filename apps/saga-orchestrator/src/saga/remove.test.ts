import assert from "node:assert/strict";
import { test } from "node:test";
import { defaultSettings } from "../saga/settings.ts";
import { command, given, look, type Story, startMs, undo } from "../testing/story.ts";
import {
  aborted,
  backOffOver,
  completed,
  completedLate,
  deadlinePassed,
  failedForGood,
  failedForNow,
  graceMoved,
  graceOver,
  nameReleased,
  openIntentFound,
  purgeAsked,
  releaseAsked,
  removalRequested,
  removeAsked,
  requested,
  restoreAsked,
  resumed,
  retried,
  settleOver,
  source,
  suspendAsked,
} from "../testing/story-events.ts";

const dayMs = 86_400_000;
const { settleMs, graceMs, slugHeldMs } = defaultSettings;

const ready = (): Story =>
  given(
    requested(),
    completed("database"),
    completed("storage"),
    completed("vectors"),
    completed("backup"),
    completed("identity"),
  );
const closing = ["suspend-database", "suspend-storage", "suspend-vectors"] as const;
const done = (...steps: string[]) => steps.map((step) => completed(step));
const closed = (): Story => ready().when(removeAsked(), ...done(...closing, "suspend-backup"));
const waiting = (): Story => closed().when(completed("final-backup"));
const purging = (): Story => waiting().when(graceOver());
const purges = ["purge-identity", "purge-backup", "purge-storage", "purge-vectors", "purge-database"];
const purged = (): Story => purging().when(...done(...purges));
const removed = (): Story => purged().when(settleOver(), ...done(...purges));

test("a removal closes every way in, takes a last backup, and waits", () => {
  ready()
    .when(removeAsked())
    .expectAccepted({ repeated: false })
    .expectTenant("removing")
    .expectAnnounced("TenantRemovalStarted")
    .expectCommands(...closing.map(command))
    .when(...done(...closing))
    .expectCommands(command("suspend-backup"))
    .when(completed("suspend-backup"))
    .expectCommands(command("final-backup"))
    .when(completed("final-backup"))
    .expectCommands()
    .expectTimer("grace", "wait", graceMs)
    .look(({ saga }) => assert.equal(saga.status, "waiting"));
});

test("after the grace period the parts go in the reverse order of their making", () => {
  purging()
    .expectCommands(command("purge-identity"))
    .when(completed("purge-identity"))
    .expectCommands(command("purge-backup"), command("purge-storage"))
    .when(completed("purge-backup"))
    .expectCommands(command("purge-vectors"), command("purge-database"))
    .look(({ messages, saga }) => {
      for (const message of messages) {
        assert.ok(message.record === "TenantOperationRequested");
        assert.deepEqual(
          [message.value.operation, message.value.parameters.purpose, message.value.sagaId],
          ["purge", undefined, saga.sagaId],
        );
      }
    });
});

test("rule 14: a removal is told only when a second look after the settle time found nothing", () => {
  purged()
    .expectTimer("settle", "settle", settleMs)
    .expectTenant("removing")
    .expectAnnounced()
    .when(settleOver())
    .expectCommands(...purges.map(look))
    .look(({ messages }) => {
      for (const message of messages)
        if (message.record === "TenantOperationRequested")
          assert.equal(message.value.parameters.purpose, "second-look");
    })
    .when(...done(...purges))
    .expectState("removed")
    .expectTenant("removed")
    .expectAnnounced("TenantRemoved")
    .expectSlug("held")
    .expectTimer("release", "release", slugHeldMs)
    .when(nameReleased())
    .expectState("closed")
    .expectSlug("released");
});

test("the whole tenant comes back inside the grace period, with new credentials", () => {
  waiting()
    .when(restoreAsked())
    .expectAccepted({ repeated: false })
    .expectCommands(...closing.map(undo))
    .look(({ messages, saga }) => {
      for (const message of messages) {
        assert.ok(message.record === "TenantOperationRequested");
        const { operation, parameters, sagaId } = message.value;
        assert.deepEqual([operation, sagaId, parameters.credentials], ["resume", saga.sagaId, "new"]);
      }
    })
    .when(restoreAsked())
    .expectAccepted({ repeated: true })
    .when(...done(...closing, "resume-backup-again"))
    .expectState("undone")
    .expectTenant("ready")
    .expectAnnounced("TenantRestored")
    .expectNoTimer("grace")
    .when(restoreAsked())
    .expectAccepted({ repeated: true });
});

test("a restore while parts are being closed waits for them, and opens them again", () => {
  ready()
    .when(removeAsked(), completed("suspend-database"), restoreAsked())
    .expectState("draining")
    .when(completed("suspend-storage"), completed("suspend-vectors"))
    .expectCommands(...closing.map(undo));
});

test("a restore while the last backup is taken waits for it", () => {
  closed()
    .when(restoreAsked())
    .expectCommands()
    .when(failedForNow("final-backup"))
    .expectCommands(...closing.map(undo));
});

// Seen to fail: with the guard of `abort` taken out of build-act.ts.
test("once the purge was commanded nothing is restored", () => {
  for (const story of [purging(), purging().when(failedForGood("purge-identity")), purged()])
    story.when(restoreAsked()).expectRefused("purge-commanded").expectSteps({ "suspend-database": "done" });
  removed().when(restoreAsked()).expectRefused("wrong-state");
});

test("a removal is not aborted: it is restored, or it goes forward", () => {
  waiting().when(aborted()).expectRefused("removal-goes-forward");
});

test("a step of a removal that fails for good halts it, and it goes on from there", () => {
  ready()
    .when(removeAsked(), failedForGood("suspend-database"), ...done("suspend-storage", "suspend-vectors"))
    .expectState("stuckForward")
    .expectTenant("stuck")
    .when(resumed())
    .expectCommands(command("suspend-database"))
    .expectTenant("removing")
    .expectNoError()
    .when(...done("suspend-database", "suspend-backup"))
    .expectCommands(command("final-backup"))
    .when(failedForGood("final-backup"))
    .expectState("stuckForward")
    .when(restoreAsked())
    .expectCommands(...closing.map(undo));
});

// Seen to fail: with the saga's error deleted whichever step is retried; Postgres then refuses the whole batch.
test("rule 7: a removal of which one of two halted steps is retried is stuck at the other, with its reason", () => {
  ready()
    .when(removeAsked(), ...["suspend-database", "suspend-storage"].map((step) => failedForGood(step)))
    .when(completed("suspend-vectors"), retried({ step: "suspend-database" }))
    .expectCommands(command("suspend-database"))
    .when(completed("suspend-database"))
    .expectState("stuckForward")
    .expectError("suspend-storage-broken")
    .when(retried({ step: "suspend-storage" }))
    .expectTenant("removing")
    .expectNoError();
});

test("a step of an act that nobody begins names the worker of its part", () => {
  ready()
    .when(removeAsked(), deadlinePassed("suspend-database"))
    .look(({ step }) =>
      assert.match(step("suspend-database").error?.message ?? "", /the database worker runs/),
    );
});

test("a purge that fails for good halts the removal, and is resumed", () => {
  purging()
    .when(...done("purge-identity"), failedForGood("purge-backup"), completed("purge-storage"))
    .expectState("stuckForward")
    .when(resumed())
    .expectCommands(command("purge-backup"));
});

test("at once: no last backup, no grace period", () => {
  ready()
    .when(removeAsked({ graceMs: 0 }))
    .expectCommands(...closing.map(command))
    .when(...done(...closing, "suspend-backup"))
    .expectSteps({ "final-backup": "skipped", grace: "skipped" })
    .expectCommands(command("purge-identity"));
});

test("a removal that waits purges at once when it is told to, also without the backup that could not be had", () => {
  waiting().when(purgeAsked()).expectCommands(command("purge-identity"));
  closed()
    .when(failedForGood("final-backup"), purgeAsked())
    .expectSteps({ "final-backup": "skipped" })
    .expectCommands(command("purge-identity"))
    .expectTenant("removing")
    .expectNoError();
  purging().when(purgeAsked()).expectAccepted({ repeated: true }).expectCommands();
});

test("the grace period is moved, and its end is told anew", () => {
  waiting()
    .when(graceMoved({ graceMs: 9 * dayMs }))
    .expectTimer("grace", "wait", 9 * dayMs)
    .expectAnnounced("TenantRemovalStarted")
    .look(({ messages }) => {
      const told = messages.find(({ record }) => record === "TenantRemovalStarted");
      assert.ok(told?.record === "TenantRemovalStarted");
      assert.equal(told.value.purgeAt, new Date(startMs + 9 * dayMs).toISOString());
    });
  closed()
    .when(graceMoved({ graceMs: dayMs }), completed("final-backup"))
    .expectTimer("grace", "wait", dayMs);
  purging()
    .when(graceMoved({ graceMs: 9 * dayMs }))
    .expectRefused("purge-commanded");
});

test("a name is released when it is told to, and never before the second look", () => {
  removed().when(releaseAsked()).expectState("closed").expectSlug("released");
  purged()
    .when(releaseAsked())
    .expectAccepted({ repeated: false })
    .expectSlug("held")
    .when(settleOver(), ...done(...purges))
    .expectState("removed")
    .expectSlug("held")
    .when(nameReleased())
    .expectSlug("released");
});

test("removing a removed tenant gets the same answer again, and a suspended one is removed", () => {
  removed()
    .when(removeAsked({ inboxId: 8, begins: false }))
    .expectAccepted({ repeated: true })
    .expectUnmoved();
  ready()
    .when(suspendAsked(), ...done(...closing, "suspend-backup"), removeAsked({ inboxId: 8 }))
    .expectTenant("removing");
});

test("while a name is held another tenant is refused it, and told until when", () => {
  removed()
    .when(requested({ requestId: "another", slug: "acme" }))
    .expectRefused("slug-taken", /held until .* tenantctl remove acme --release/);
});

// Seen to fail: with leftByLast left out of the request, and with the removal's outputs not looked at.
test("rule 19: the next tenant of the name is told which id the removal has left in Identity", () => {
  const released = removed().when(nameReleased());
  const next = released.when(requested({ requestId: "another", slug: "acme" }));
  next
    .expectAccepted({ repeated: false })
    .when(...done("database", "storage", "vectors", "backup"))
    .look(({ messages }) => {
      const asked = messages.find(({ record }) => record === "TenantRequested");
      assert.ok(asked?.record === "TenantRequested");
      assert.equal(asked.value.step, "identity");
      assert.equal(asked.value.inputs["removed.identityTenantId"], "the id of purge-identity");
    });
});

// Seen to fail: with touchedBy answering nothing for acts.
test("rule 6: an effect that may have landed after the purge is purged again, and the settle time starts again", () => {
  const late = purging().when(
    failedForNow("purge-identity"),
    backOffOver("purge-identity"),
    ...done(...purges),
  );
  for (const story of [late, late.when(settleOver()), late.when(settleOver(), ...done(...purges))])
    story
      .when(completedLate("purge-identity"))
      .expectState("settling")
      .expectCommands(command("purge-identity"))
      .expectTimer("settle", "settle", settleMs)
      .when(completed("purge-identity"), ...done(...purges.slice(1)), settleOver())
      .expectState("verifying");
});

test("an open intent of a tenant that was removed is swept by another purge of its part", () => {
  removed().when(openIntentFound("vectors")).expectCommands(command("purge-vectors")).expectState("settling");
});

test("a removal that an upstream service asks for is answered by an event that bears its request", () => {
  ready()
    .when(removalRequested())
    .expectAnnounced("TenantRemovalStarted")
    .look(({ messages }) => {
      const told = messages.find(({ record }) => record === "TenantRemovalStarted");
      assert.ok(told?.record === "TenantRemovalStarted");
      assert.deepEqual([told.value.source, told.value.requestId], [source, "removal-1"]);
    });
});

test("rule 9: the same request for a removal again removes nothing again, also when the tenant was restored since", () => {
  ready()
    .when(removalRequested(), ...done(...closing, "suspend-backup", "final-backup"), restoreAsked())
    .when(...done(...closing, "resume-backup-again"))
    .expectTenant("ready")
    .when(removalRequested())
    .expectAnnounced()
    .expectTenant("ready")
    .expectUnmoved();
});

// Seen to fail: with the comparison of the ids taken out of applyTenantAct.
test("rule 22: a removal that names another tenant than has the slug is refused by an event, each time it comes", () => {
  const wrong = { tenantId: "00000000-0000-4000-8000-000000000000", begins: false } as const;
  ready()
    .when(removalRequested(wrong))
    .expectAnnounced("TenantRemovalRefused")
    .expectTenant("ready")
    .when(removalRequested(wrong))
    .expectAnnounced("TenantRemovalRefused")
    .look(({ messages }) => {
      const told = messages.find(({ record }) => record === "TenantRemovalRefused");
      assert.ok(told?.record === "TenantRemovalRefused");
      assert.equal(told.value.code, "tenant-differs");
      assert.equal(told.value.tenantId, wrong.tenantId);
    });
});

test("a removal of no tenant, for no reason, or for ever, is refused by an event", () => {
  for (const [changes, code] of [
    [{ slug: "globex" }, "tenant-unknown"],
    [{ slug: "No Slug" }, "slug-invalid"],
    [{ reason: " " }, "reason-missing"],
    [{ graceMs: -1 }, "grace-invalid"],
  ] as const)
    ready()
      .when(removalRequested({ ...changes, begins: false }))
      .expectAnnounced("TenantRemovalRefused")
      .look(({ messages }) => {
        const [told] = messages;
        assert.ok(told?.record === "TenantRemovalRefused");
        assert.equal(told.value.code, code);
      });
});
