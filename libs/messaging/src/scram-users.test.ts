import assert from "node:assert/strict";
import { it } from "node:test";
import { anchorUser } from "./scram-users.ts";

it("the anchor's name has the hash 0 in Java, so that Kafka replays it before any other user", () => {
  let hash = 0;
  for (const letter of anchorUser) hash = (Math.imul(31, hash) + letter.charCodeAt(0)) | 0;
  assert.equal(hash, 0);
});
