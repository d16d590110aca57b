import assert from "node:assert/strict";
import { test } from "node:test";
import { tenantPolicy } from "./tenant-policy.ts";

test("a tenant's policy names its own bucket alone, and denies the whole admin API", () => {
  const { Statement } = tenantPolicy("deeplens-acme");
  const allowed = Statement.filter(({ Effect }) => Effect === "Allow");
  const resources = allowed.flatMap(({ Resource }) => Resource ?? ["anything"]);
  assert.deepEqual(resources, ["arn:aws:s3:::deeplens-acme", "arn:aws:s3:::deeplens-acme/*"]);
  assert.deepEqual(
    Statement.filter(({ Effect }) => Effect === "Deny").flatMap(({ Action }) => Action),
    ["admin:*"],
  );
});

test("a tenant may not change or remove its bucket, whose tags say whose it is", () => {
  const actions = tenantPolicy("deeplens-acme")
    .Statement.filter(({ Effect }) => Effect === "Allow")
    .flatMap(({ Action }) => Action);
  for (const action of actions) assert.match(action, /^s3:(Get|List|Put|Delete|Abort)/);
  for (const never of [
    "s3:*",
    "s3:PutBucketTagging",
    "s3:DeleteBucket",
    "s3:PutBucketPolicy",
    "s3:CreateBucket",
  ])
    assert.ok(!actions.includes(never), never);
});
