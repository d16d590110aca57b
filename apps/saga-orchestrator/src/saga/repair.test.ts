import { test } from "node:test";
import { command, given, type Story } from "../testing/story.ts";
import { completed, failedForGood, repairAsked, requested, suspendAsked } from "../testing/story-events.ts";

const done = (...steps: string[]) => steps.map((step) => completed(step));
const ready = (): Story =>
  given(requested(), ...done("database", "storage", "vectors", "backup", "identity")).expectTenant("ready");

test("a repair asks every part but Identity, the backup after what it backs up, and an event tells it", () => {
  ready()
    .when(repairAsked())
    .expectCommands(command("repair-database"), command("repair-storage"), command("repair-vectors"))
    .when(...done("repair-storage", "repair-vectors"))
    .expectCommands()
    .when(...done("repair-database"))
    .expectCommands(command("repair-backup"))
    .when(...done("repair-backup"))
    .expectState("done")
    .expectTenant("ready")
    .expectAnnounced("TenantRepaired");
});

test("a part that can't be repaired leaves the tenant as it was, and nothing is undone", () => {
  ready()
    .when(repairAsked(), ...done("repair-storage", "repair-vectors"), failedForGood("repair-database"))
    .expectCommands()
    .expectState("undone")
    .expectTenant("ready");
});

test("a suspended tenant is not repaired: that would open it", () => {
  ready()
    .when(suspendAsked(), ...done("suspend-database", "suspend-storage", "suspend-vectors", "suspend-backup"))
    .when(repairAsked({ begins: false, inboxId: 8 }))
    .expectRefused("wrong-state");
});
