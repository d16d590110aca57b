import assert from "node:assert/strict";
import { test } from "node:test";
import { command, given, type Story, startMs, undo } from "../testing/story.ts";
import {
  completed,
  failedForGood,
  requested,
  restoreBackAsked,
  restoreBackupAsked,
  restoreEndAsked,
} from "../testing/story-events.ts";
import type { ActTold, TenantActs } from "./saga.ts";
import { defaultSettings } from "./settings.ts";

const done = (...steps: string[]) => steps.map((step) => completed(step));
const ready = (): Story =>
  given(requested(), ...done("database", "storage", "vectors", "backup", "identity")).expectTenant("ready");
const backup = "20261124T020000Z-00abff";
const untilSwitch = ["check-backup", "safety-backup", "restore-open", "try-restore", "restore-switch"];
const restored = (parts: NonNullable<ActTold["restore"]>["parts"] = "all"): Story =>
  ready()
    .when(restoreBackupAsked({ restore: { backup, parts } }), ...done(...untilSwitch, "switch-vectors"))
    .expectState("done");
const replacedOf = (story: Story) => {
  let found: TenantActs["replaced"];
  story.look(({ saga, batch }) => {
    found = batch.tenants.get(saga.tenantId)?.acts.replaced;
  });
  return found;
};

test("what a restore replaced is kept for a while, and told", () => {
  const kept = replacedOf(restored());
  assert.equal(kept?.safetyBackup, "the safety backup");
  assert.ok(Date.parse(kept?.until ?? "") >= startMs + defaultSettings.replacedKeptMs);
});

test("the version of what is live now is the tenant's, after a restore and after a switch back", () => {
  const version = (story: Story, expected: string): Story =>
    story.look(({ saga, batch }) =>
      assert.equal(batch.tenants.get(saga.tenantId)?.resources["database.templateVersion"], expected),
    );
  const back = ["check-vectors", "look-aside", "safety-backup", "exchange", "switch-vectors"];
  version(version(restored(), "0007").when(restoreBackAsked({ inboxId: 8 }), ...done(...back)), "0008");
});

test("a switch back looks before it changes anything, takes a backup, and then has the two change places", () => {
  const story = restored()
    .when(restoreBackAsked({ inboxId: 8 }))
    .expectAccepted({ repeated: false })
    .expectCommands(command("check-vectors"))
    .look(({ messages }) => {
      const [asked] = messages;
      assert.ok(asked?.record === "TenantOperationRequested");
      // Not the backup that was restored: what was live before it.
      assert.deepEqual(
        [asked.value.parameters.backup, asked.value.parameters.parts],
        ["the safety backup", "vectors"],
      );
    })
    .when(completed("check-vectors"))
    .expectCommands(command("look-aside"))
    .when(completed("look-aside"))
    .expectCommands(command("safety-backup"))
    .when(completed("safety-backup"))
    .expectCommands(command("exchange"))
    .when(completed("exchange"))
    .expectCommands(command("switch-vectors"))
    .when(completed("switch-vectors"))
    .expectState("done")
    .expectTenant("ready");
  // And forth again, by the same act.
  story.look(({ saga }) => assert.equal(replacedOf(story)?.sagaId, saga.sagaId));
  story.when(restoreBackAsked({ inboxId: 9 })).expectAccepted({ repeated: false });
});

test("of the database alone no vectors are looked at", () => {
  restored("database")
    .when(restoreBackAsked({ inboxId: 8 }))
    .expectCommands(command("look-aside"));
});

test("a switch back that fails is taken back, and the way back stays", () => {
  const before = replacedOf(restored());
  const story = restored()
    .when(
      restoreBackAsked({ inboxId: 8 }),
      ...done("check-vectors", "look-aside", "safety-backup", "exchange"),
      failedForGood("switch-vectors"),
    )
    .expectCommands(undo("switch-vectors"))
    .when(completed("switch-vectors"))
    .expectCommands(undo("exchange"))
    .when(completed("exchange"))
    .expectState("undone")
    .expectTenant("ready");
  assert.deepEqual(replacedOf(story), before);
});

test("where nothing was replaced, or it was dropped, there is no switching back", () => {
  ready()
    .when(restoreBackAsked({ begins: false, inboxId: 8 }))
    .expectRefused("nothing-replaced");
  restored()
    .when(restoreEndAsked({ inboxId: 8 }))
    .expectCommands(command("drop-replaced"))
    .when(completed("drop-replaced"))
    .expectState("done")
    .when(restoreBackAsked({ begins: false, inboxId: 9 }))
    .expectRefused("nothing-replaced");
});

test("a restore that was undone after it had begun to switch leaves no way back to the one before it", () => {
  const again = restoreBackupAsked({ inboxId: 8, restore: { backup, parts: "all" } });
  restored()
    .when(again, failedForGood("check-backup"))
    .expectState("undone")
    .when(restoreBackAsked({ inboxId: 9 }))
    .expectAccepted({ repeated: false });
  restored()
    .when(again, ...done(...untilSwitch.slice(0, -1)), failedForGood("restore-switch"))
    .when(...done("restore-switch", "restore-open"))
    .expectState("undone")
    .when(restoreBackAsked({ begins: false, inboxId: 9 }))
    .expectRefused("nothing-replaced");
});

test("a drop that failed is tried again after an hour", () => {
  const story = restored()
    .when(restoreEndAsked({ inboxId: 8 }), failedForGood("drop-replaced"))
    .expectState("undone");
  story.look(({ nowMs }) => assert.equal(Date.parse(replacedOf(story)?.until ?? "") - nowMs, 3_600_000));
});
