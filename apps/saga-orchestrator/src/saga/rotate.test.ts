import assert from "node:assert/strict";
import { test } from "node:test";
import { rowsOf, type Stored } from "../testing/memory-store.ts";
import { command, given, type Story, undo } from "../testing/story.ts";
import {
  aborted,
  completed,
  completedAs,
  endRotationAsked,
  failedForGood,
  overlapMoved,
  overlapOver,
  requested,
  resumed,
  rotateAsked,
  suspendAsked,
} from "../testing/story-events.ts";
import type { Tenant } from "./saga.ts";
import { defaultSettings } from "./settings.ts";

const done = (...steps: string[]) => steps.map((step) => completed(step));
const ready = (storageType = "deeplens"): Story =>
  given(
    requested({ storageType }),
    ...done("database", ...(storageType === "none" ? [] : ["storage"]), "vectors", "backup", "identity"),
  ).expectTenant("ready");

const tenantIn = (stored: Stored): Tenant => rowsOf(stored).tenants[0] ?? assert.fail("no tenant");

const fresh = ["rotate-database", "rotate-storage", "rotate-vectors"] as const;
const ends = ["end-database", "end-storage", "end-vectors"] as const;
const both = (): Story =>
  ready()
    .when(rotateAsked(), completed("rotate-storage"), completed("rotate-vectors"))
    .when(completed("refresh-backup"))
    .when(completedAs("rotate-database", { applicationRole: "the second role" }));

/** What the newest lifecycle event of a rotation says. */
const told = (phase: string, parts = ["database", "storage", "vectors"]) =>
  (({ messages }) => {
    const last = messages.findLast(({ record }) => record === "TenantCredentialsRotated");
    assert.ok(last?.record === "TenantCredentialsRotated");
    assert.deepEqual([last.value.phase, last.value.parts], [phase, parts]);
  }) satisfies Parameters<Story["look"]>[0];

test("new credentials are made at once, are the tenant's when all are proven, and the old ones end after the overlap", () => {
  ready()
    .when(rotateAsked())
    .expectAccepted({ repeated: false })
    .expectCommands(...fresh.map(command))
    .expectTenant("ready")
    .when(completed("rotate-vectors"))
    .expectCommands(command("refresh-backup"))
    .expectAnnounced();
  both()
    .expectCommands()
    .expectTenant("ready")
    .expectAnnounced("TenantCredentialsRotated")
    .look(told("began"))
    .look(({ saga, stored }) => {
      const tenant = tenantIn(stored);
      const beganMs = Date.parse(saga.request.act?.rotation?.beganAt ?? "");
      const oldUntil = new Date(beganMs + defaultSettings.overlapMs).toISOString();
      assert.equal(tenant.acts.rotation?.oldUntil, oldUntil);
      assert.equal(saga.timers.overlap?.dueMs, Date.parse(oldUntil));
      assert.equal(saga.status, "waiting");
      assert.equal(tenant.resources["database.applicationRole"], "the second role");
    })
    .when(overlapOver())
    .expectCommands(...ends.map(command))
    .expectAnnounced()
    .when(...done(...ends))
    .expectState("done")
    .expectTenant("ready")
    .expectAnnounced("TenantCredentialsRotated")
    .look(told("ended"))
    .look(({ stored }) => {
      const tenant = tenantIn(stored);
      assert.deepEqual([tenant.acts.rotation, tenant.acts.running], [undefined, undefined]);
    });
});

test("only the parts that were asked for, and that the tenant has, are rotated", () => {
  ready()
    .when(rotateAsked({ parts: ["storage", "database"] }))
    .expectCommands(command("rotate-database"), command("rotate-storage"))
    .when(...done("rotate-database", "rotate-storage"))
    .look(told("began", ["database", "storage"]))
    .when(overlapOver())
    .expectCommands(command("end-database"), command("end-storage"));
  ready("none").when(rotateAsked()).expectCommands(command("rotate-database"), command("rotate-vectors"));
  ready("none")
    .when(rotateAsked({ parts: ["storage"], begins: false }))
    .expectRefused("nothing-to-rotate", /no storage of its own/)
    .expectUnmoved();
});

// Seen to fail with a rotation that is undone without its outputs.
test("what can't be rotated has the new ones taken back, and the backups' agent gets the key that stays", () => {
  ready()
    .when(rotateAsked(), completedAs("rotate-database", { applicationRole: "the second role" }))
    .when(completed("rotate-vectors"), completed("refresh-backup"), failedForGood("rotate-storage"))
    .expectCommands(...fresh.map(undo))
    .look(({ messages }) => {
      const operations = messages.flatMap((message) =>
        message.record === "TenantOperationRequested" ? [message.value.operation] : [],
      );
      assert.deepEqual(operations, ["rotate-undo", "rotate-undo", "rotate-undo"]);
    })
    .when(completedAs("rotate-database", { applicationRole: "the first role" }))
    .when(...done("rotate-storage", "rotate-vectors"))
    .expectCommands(undo("refresh-backup-again"))
    .when(completed("refresh-backup-again"))
    .expectState("undone")
    .expectTenant("ready")
    // Nobody was told of new ones.
    .expectAnnounced()
    .look(({ stored }) =>
      assert.equal(tenantIn(stored).resources["database.applicationRole"], "the first role"),
    );
});

test("inside the overlap an abort takes the new ones back, and tells it", () => {
  both()
    .when(aborted())
    .expectCommands(...fresh.map(undo))
    .when(completedAs("rotate-database", { applicationRole: "the first role" }))
    .when(...done("rotate-storage", "rotate-vectors", "refresh-backup-again"))
    .expectState("undone")
    .expectTenant("ready")
    .expectAnnounced("TenantCredentialsRotated")
    .look(told("taken-back"))
    .look(({ stored }) => {
      const tenant = tenantIn(stored);
      assert.equal(tenant.resources["database.applicationRole"], "the first role");
      assert.equal(tenant.acts.rotation, undefined);
    });
});

// Seen to fail with ends that are undone where they fail, and with a guard of `abort` that asks for no pivot.
test("once the first old one is being ended a rotation only goes forward: a failure halts it, and an abort is refused", () => {
  both()
    .when(overlapOver(), aborted())
    .expectRefused("pivot-commanded", /ends the old credentials already/)
    .when(completed("end-database"), failedForGood("end-storage"), completed("end-vectors"))
    .expectState("stuckForward")
    .when(resumed())
    .expectCommands(command("end-storage"))
    .expectTenant("ready")
    .when(completed("end-storage"))
    .expectState("done")
    .expectAnnounced("TenantCredentialsRotated");
});

test("the overlap is ended when somebody says so, and moved: so long after its beginning", () => {
  both()
    .when(endRotationAsked())
    .expectAccepted({ repeated: false })
    .expectCommands(...ends.map(command))
    .when(endRotationAsked({ inboxId: 9 }))
    .expectAccepted({ repeated: true });
  both()
    .when(overlapMoved({ overlapMs: 3_600_000 }))
    .expectAnnounced("TenantCredentialsRotated")
    .look(({ saga, stored }) => {
      const tenant = tenantIn(stored);
      const beganMs = Date.parse(saga.request.act?.rotation?.beganAt ?? "");
      assert.equal(tenant.acts.rotation?.oldUntil, new Date(beganMs + 3_600_000).toISOString());
      assert.equal(saga.timers.overlap?.dueMs, beganMs + 3_600_000);
    })
    .when(overlapOver())
    .expectCommands(...ends.map(command))
    .when(overlapMoved({ inboxId: 9, overlapMs: 1 }))
    .expectRefused("end-commanded");
  // Asked for before the new ones are proven: the wait that comes is over at once.
  ready()
    .when(rotateAsked({ parts: ["database"] }), endRotationAsked({ inboxId: 8 }))
    .expectAccepted({ repeated: false })
    .when(completed("rotate-database"))
    .look(({ saga, stored }) => {
      const tenant = tenantIn(stored);
      assert.equal(saga.timers.overlap?.dueMs, Date.parse(tenant.acts.rotation?.oldUntil ?? ""));
      assert.equal(tenant.acts.rotation?.oldUntil, saga.request.act?.rotation?.beganAt);
    });
});

test("a second act while one runs is refused, naming it and how to end it; the same rotation is the same answer", () => {
  both()
    .when(suspendAsked({ inboxId: 8, begins: false }))
    .expectRefused("act-running", /rotate of tenant acme runs .* tenantctl rotate acme --end/);
  both()
    .when(rotateAsked({ inboxId: 8, begins: false }))
    .expectAccepted({ repeated: true });
  both()
    .when(rotateAsked({ inboxId: 8, begins: false, parts: ["database"] }))
    .expectRefused("act-running");
});

test("of a suspended tenant nothing is rotated, and of one without a rotation none is ended", () => {
  ready()
    .when(suspendAsked(), ...done("suspend-database", "suspend-storage", "suspend-vectors", "suspend-backup"))
    .when(rotateAsked({ inboxId: 8, begins: false }))
    .expectRefused("wrong-state", /suspended: .*before it is resumed/);
  ready()
    .when(endRotationAsked())
    .expectRefused("wrong-state", /no rotation of it runs/);
});
