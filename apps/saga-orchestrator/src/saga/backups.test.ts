import assert from "node:assert/strict";
import { test } from "node:test";
import { command, given, type Story, undo } from "../testing/story.ts";
import {
  backupAsked,
  completed,
  failedForGood,
  requested,
  restoreBackupAsked,
  suspendAsked,
} from "../testing/story-events.ts";

const done = (...steps: string[]) => steps.map((step) => completed(step));
const ready = (): Story =>
  given(requested(), ...done("database", "storage", "vectors", "backup", "identity")).expectTenant("ready");

const restore = { backup: "20261124T020000Z-00abff", parts: "all" } as const;

test("a backup leaves the tenant as it is; a second act meanwhile is refused", () => {
  ready()
    .when(backupAsked())
    .expectAccepted({ repeated: false })
    .expectCommands(command("backup-now"))
    .expectTenant("ready")
    .when(suspendAsked({ begins: false, inboxId: 8 }))
    .expectRefused("act-running")
    .when(completed("backup-now"))
    .expectState("done")
    .expectTenant("ready")
    .expectAnnounced();
});

test("a restore goes from check to switch, one step after the other, each told which backup and what of it", () => {
  ready()
    .when(restoreBackupAsked({ restore }))
    .expectCommands(command("check-backup"))
    .look(({ messages }) => {
      const [first] = messages.filter(({ record }) => record === "TenantOperationRequested");
      assert.ok(first?.record === "TenantOperationRequested");
      assert.deepEqual(
        [first.value.parameters.backup, first.value.parameters.parts],
        [restore.backup, restore.parts],
      );
    })
    .when(completed("check-backup"))
    .expectCommands(command("safety-backup"))
    .when(completed("safety-backup"))
    .expectCommands(command("restore-open"))
    .when(completed("restore-open"))
    .expectCommands(command("try-restore"))
    .when(completed("try-restore"))
    .expectCommands(command("restore-switch"))
    .when(completed("restore-switch"))
    .expectCommands(command("switch-vectors"))
    .when(completed("switch-vectors"))
    .expectState("done")
    .expectTenant("ready");
});

test("a backup that is refused by the check changes nothing", () => {
  ready()
    .when(restoreBackupAsked({ restore }), failedForGood("check-backup"))
    .expectState("undone")
    .expectTenant("ready");
});

test("vectors that can't be switched have the database switched back, and go back to the safety backup", () => {
  ready()
    .when(
      restoreBackupAsked({ restore }),
      ...done("check-backup", "safety-backup", "restore-open", "try-restore", "restore-switch"),
      failedForGood("switch-vectors"),
    )
    .expectCommands(undo("switch-vectors"))
    .look(({ messages }) => {
      const last = messages.at(-1);
      assert.ok(last?.record === "TenantOperationRequested");
      assert.equal(last.value.operation, "switch-vectors-back");
    })
    .when(completed("switch-vectors"))
    .expectCommands(undo("restore-switch"))
    .when(completed("restore-switch"))
    .expectCommands(undo("restore-open"))
    .when(completed("restore-open"))
    .expectState("undone")
    .expectTenant("ready");
});
