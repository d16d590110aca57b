import assert from "node:assert/strict";
import { test } from "node:test";
import { base32, sha256 } from "./digests.ts";
import { shardOf } from "./shards.ts";

test("base32 answers RFC 4648's own examples, without padding", () => {
  const examples = {
    "": "",
    f: "MY",
    fo: "MZXQ",
    foo: "MZXW6",
    foob: "MZXW6YQ",
    fooba: "MZXW6YTB",
    foobar: "MZXW6YTBOI",
  };
  for (const [text, expected] of Object.entries(examples)) assert.equal(base32(Buffer.from(text)), expected);
});

test("a hash of parts knows where one ends", () => {
  assert.notDeepEqual(sha256("ab", "c"), sha256("a", "bc"));
});

test("a slug's shard never changes", () => {
  // The first four bytes of SHA-256, computed by Python's hashlib: clients in other languages hash the same way.
  assert.deepEqual(
    ["acme", "acme-corp", "globex"].map((slug) => shardOf(slug, 6)),
    [1, 0, 3],
  );
  const counts = new Map<number, number>();
  for (let n = 0; n < 600; n++)
    counts.set(shardOf(`tenant-${n}`, 6), (counts.get(shardOf(`tenant-${n}`, 6)) ?? 0) + 1);
  assert.deepEqual([...counts.keys()].sort(), [0, 1, 2, 3, 4, 5]);
  for (const count of counts.values()) assert.ok(count > 60, "shards fill evenly");
});
