import assert from "node:assert/strict";
import { test } from "node:test";
import { labelNames } from "@deeplens/contracts";
import { bears, ownershipOf } from "./ownership.ts";

const labels = { [labelNames.tenantId]: "id-1", [labelNames.installation]: "here" };

test("rule 12: a thing of this installation is its tenant's, by label", () => {
  assert.deepEqual(ownershipOf({ labels }, "here"), { found: "labelled", owner: "id-1" });
  assert.deepEqual(ownershipOf(undefined, "here"), { found: "nothing" });
});

test("rule 12: the same tenant id in another installation, or no label at all, is a stranger's", () => {
  assert.deepEqual(ownershipOf({ labels }, "there"), {
    found: "labelled",
    owner: "id-1 of installation here",
  });
  const bare = ownershipOf({ labels: {} }, "here");
  assert.equal(bare.found, "labelled");
});

test("labels beside the asked ones do not matter; a missing or different one does", () => {
  assert.ok(bears({ a: "1", b: "2" }, { a: "1" }));
  assert.ok(!bears({ a: "1" }, { a: "1", b: "2" }));
  assert.ok(!bears({ a: "2" }, { a: "1" }));
});
