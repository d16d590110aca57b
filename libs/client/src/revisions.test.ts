import assert from "node:assert/strict";
import { test } from "node:test";
import { createRevisions } from "./revisions.ts";

test("rule 05: a reader drops lower revisions and repeated ones, each tenant by itself", () => {
  const revisions = createRevisions();
  assert.ok(revisions.isNews("a", 0));
  revisions.saw("a", 3);
  assert.equal(revisions.isNews("a", 2), false);
  assert.equal(revisions.isNews("a", 3), false);
  assert.ok(revisions.isNews("a", 4));
  assert.ok(revisions.isNews("b", 1));
  revisions.saw("a", 1);
  assert.equal(revisions.isNews("a", 2), false);
});
