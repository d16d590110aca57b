import assert from "node:assert/strict";
import { test } from "node:test";
import { check, emptyWish, requestOf } from "./wish.ts";

const acme = {
  ...emptyWish,
  name: "Acme Corp",
  email: "ada@acme.example",
  firstName: "Ada",
  lastName: "Lovelace",
};

test("a wish is held to the rules of the request, and the field that breaks one is named", () => {
  assert.equal(check(acme).ok, true);
  const wrong = check({ ...acme, email: "nobody" });
  assert.ok(!wrong.ok);
  assert.equal(wrong.field, "administrator.email");
  const bucket = check({ ...acme, storage: "byos", bucket: "_", region: "eu-central-1" });
  assert.ok(!bucket.ok);
  assert.equal(bucket.field, "storage.bucket");
});

test("own storage is asked for with the reference of its credentials, every other without a place", () => {
  const byos = requestOf({ ...acme, storage: "byos", bucket: "b", region: "eu-central-1" }, "drop:x");
  assert.equal(byos.storage.credentialRef, "drop:x");
  assert.deepEqual(requestOf({ ...acme, bucket: "left over" }, "drop:x").storage, { type: "deeplens" });
});
