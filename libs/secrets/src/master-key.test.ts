import assert from "node:assert/strict";
import { test } from "node:test";
import { newMasterKeyLine, parseMasterKey, seal, unseal } from "./master-key.ts";

test("the last line of a master key is current, and older versions still read what they wrote", () => {
  const first = newMasterKeyLine(1);
  const old = seal(parseMasterKey(first), "hush", ["owner", "purpose", "1"]);
  const both = parseMasterKey(`${first}\n${newMasterKeyLine(2)}\n`);
  assert.equal(both.current, "v2");
  assert.equal(unseal(both, old, ["owner", "purpose", "1"]), "hush");
  assert.equal(seal(both, "hush", []).keyVersion, "v2");
});

test("a secret is bound to its owner, purpose and version, and to its key", () => {
  const key = parseMasterKey(newMasterKeyLine());
  const sealed = seal(key, "hush", ["owner", "purpose", "1"]);
  assert.throws(() => unseal(key, sealed, ["other", "purpose", "1"]));
  assert.throws(() => unseal(key, sealed, ["owner", "purpose", "2"]));
  assert.throws(() => unseal(parseMasterKey(newMasterKeyLine()), sealed, ["owner", "purpose", "1"]));
  sealed.ciphertext[0] = (sealed.ciphertext[0] ?? 0) ^ 1;
  assert.throws(() => unseal(key, sealed, ["owner", "purpose", "1"]));
});

test("the same secret twice is not the same cipher text", () => {
  const key = parseMasterKey(newMasterKeyLine());
  assert.notDeepEqual(seal(key, "hush", []).ciphertext, seal(key, "hush", []).ciphertext);
});

test("a wrong master key is refused by its line, without showing it", () => {
  const short = `v1:${Buffer.alloc(16, 7).toString("base64")}`;
  for (const [text, message] of [
    ["", /is empty/],
    [short, /^Error: line 1 of the master key must be/],
    [`${newMasterKeyLine(1)}\n${newMasterKeyLine(1)}`, /has v1 twice/],
    [newMasterKeyLine().slice(3), /line 1/],
  ] as const)
    assert.throws(
      () => parseMasterKey(text),
      (error) => message.test(String(error)) && !String(error).includes(short.slice(3)),
    );
});

test("a secret under a version that the file lacks says which", () => {
  const sealed = seal(parseMasterKey(newMasterKeyLine(3)), "hush", []);
  assert.throws(() => unseal(parseMasterKey(newMasterKeyLine(4)), sealed, []), /master key v3/);
});
