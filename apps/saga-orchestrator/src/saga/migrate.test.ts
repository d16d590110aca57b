import assert from "node:assert/strict";
import { test } from "node:test";
import { command, given, type Story } from "../testing/story.ts";
import { completed, failedForGood, migrateAsked, requested } from "../testing/story-events.ts";

const ready = (): Story =>
  given(
    requested(),
    ...["database", "storage", "vectors", "backup", "identity"].map((step) => completed(step)),
  ).expectTenant("ready");

test("a migration's version is what the tenant has from now on, and is told; at the newest already nothing is", () => {
  ready()
    .when(migrateAsked())
    .expectCommands(command("migrate-database"))
    .when(completed("migrate-database"))
    .expectState("done")
    .expectTenant("ready")
    .expectAnnounced("TenantMigrated")
    .look(({ messages }) => {
      const event = messages.findLast(({ record }) => record === "TenantMigrated");
      assert.ok(event?.record === "TenantMigrated");
      assert.equal(event.value.templateVersion, "0002");
      const state = messages.findLast(({ record }) => record === "TenantState");
      assert.ok(state?.record === "TenantState");
      assert.equal(state.value.resources["database.templateVersion"], "0002");
    })
    .when(migrateAsked({ inboxId: 8 }), completed("migrate-database"))
    .expectState("done")
    .expectTenant("ready");
});

test("a database that can't be moved leaves the tenant what it was", () => {
  ready()
    .when(migrateAsked(), failedForGood("migrate-database"))
    .expectState("undone")
    .expectTenant("ready")
    .expectAnnounced()
    .expectError("migrate-database-broken");
});
