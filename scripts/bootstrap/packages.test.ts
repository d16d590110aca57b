import assert from "node:assert/strict";
import { test } from "node:test";
import { matches } from "./packages.mjs";

const wanted = {
  "": {},
  "node_modules/a": { version: "1.0.0" },
  "node_modules/b": { version: "2.0.0", optional: true },
};

test("packages are current when each that is wanted is there in its version, other platforms' ones aside", () => {
  assert.equal(matches(wanted, { "node_modules/a": { version: "1.0.0" } }), true);
  assert.equal(matches(wanted, { "node_modules/a": { version: "1.0.1" } }), false);
  assert.equal(matches(wanted, {}), false);
});
