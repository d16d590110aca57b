import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { test } from "node:test";
import { decrypt, encrypt } from "./encryption.ts";

test("a body is encrypted as MinIO's own client does it", async () => {
  const body = await encrypt("secret", Buffer.from("{}"), {
    salt: Buffer.alloc(32),
    nonce: Buffer.alloc(8),
  });
  const expected = `${"00".repeat(32)}02${"00".repeat(8)}95bf83428e2a689292f5de0ce4bffb4e9bca`;
  assert.equal(body.toString("hex"), expected);
});

for (const length of [0, 1, 16_383, 16_384, 16_385, 40_000])
  test(`a body of ${length} bytes comes back as it was`, async () => {
    const data = randomBytes(length);
    assert.deepEqual(await decrypt("secret", await encrypt("secret", data)), data);
  });

test("a changed or cut reply, or another key, is refused", async () => {
  const body = await encrypt("secret", randomBytes(20_000));
  const changed = Buffer.from(body);
  changed[100] = (changed[100] ?? 0) ^ 1;
  await assert.rejects(decrypt("secret", changed));
  await assert.rejects(decrypt("other", body));
  await assert.rejects(decrypt("secret", body.subarray(0, 41 + 16_384 + 16)));
  await assert.rejects(decrypt("secret", body.subarray(0, 20)), /too short/);
});

test("a reply encrypted in an unknown way is named", async () => {
  await assert.rejects(decrypt("secret", Buffer.alloc(80, 9)), /id 9/);
});
