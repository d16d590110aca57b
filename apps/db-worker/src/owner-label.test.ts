import assert from "node:assert/strict";
import { it } from "node:test";
import { tenantIdOf } from "@deeplens/contracts";
import { labelled, nothing } from "@deeplens/worker";
import { ownerLabel, sightOf } from "./owner-label.ts";

const tenantId = tenantIdOf("tests", "label");

it("a role with our comment is the tenant's that it names", () => {
  assert.deepEqual(sightOf([ownerLabel(tenantId, "deeplens")]), labelled(tenantId));
});

it("rule 12: a role without our comment is somebody else's, never merely unlabelled", () => {
  for (const comment of [null, "", "made by hand", `deeplens.tenant-id=${tenantId}0`, "deeplens.tenant-id=x"])
    assert.deepEqual(sightOf([comment]), labelled("nobody"));
});

it("no role is nothing", () => {
  assert.deepEqual(sightOf([]), nothing);
});
