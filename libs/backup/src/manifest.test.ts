import assert from "node:assert/strict";
import { test } from "node:test";
import { newDataKey, parseDataKey } from "./data-key.ts";
import { forgeryOf, manifestText, parseManifest } from "./manifest.ts";
import { aDatabasePart, aDataKey, aManifest, aVectorsPart } from "./testing/manifests.ts";

test("a manifest that was written is read as it was", () => {
  const manifest = aManifest();
  assert.deepEqual(parseManifest(manifestText(manifest)), { ok: true, manifest });
});

const refused = (value: unknown, reason: RegExp): void => {
  const result = parseManifest(JSON.stringify(value));
  assert.ok(!result.ok, "it was accepted");
  assert.match(result.reason, reason);
};

test("a manifest that breaks a rule is refused by the name of the field", () => {
  refused({ ...aManifest(), formatVersion: 1 }, /^formatVersion: /);
  refused({ ...aManifest(), id: "../../etc" }, /^id: is no backup's id/);
  refused({ ...aManifest(), parts: [] }, /^parts: /);
  refused({ ...aManifest(), parts: [{ ...aDatabasePart(), sha256: "AB" }] }, /^parts\.0\.sha256: /);
  refused({ ...aManifest(), parts: [{ ...aVectorsPart(), points: -1 }] }, /^parts\.0\.points: /);
  refused({ ...aManifest(), password: "secret" }, /password/);
});

test("a part's file can't lie outside its backup, hide, or be another part's", () => {
  for (const file of ["../other/database.dump", "/etc/passwd", ".hidden", "a/b", ""])
    refused({ ...aManifest(), parts: [aDatabasePart({ file })] }, /^parts\.0\.file: /);
  refused(
    { ...aManifest(), parts: [aDatabasePart(), aVectorsPart({ file: "database.dump.zst.enc" })] },
    /two parts name the same file/,
  );
});

test("what is no JSON is refused with the reason", () => {
  const result = parseManifest('{"formatVersion": 1,');
  assert.ok(!result.ok && /^is no JSON/.test(result.reason));
});

test("the skew is the time between the moments of the first and the last part", () => {
  assert.equal(aManifest().skewMs, 1_000);
});

// Seen to fail with the signature of the manifest's text as it lies in the file: its fields may come in any order.
test("a manifest that was changed by one count, or signed with another key, is known as such", () => {
  const manifest = aManifest();
  assert.equal(forgeryOf(manifest, aDataKey), undefined);
  const { mac, ...rest } = manifest;
  assert.equal(forgeryOf({ mac, ...rest }, aDataKey), undefined);
  const [database, ...others] = manifest.parts;
  assert.ok(database?.part === "database");
  const parts = [{ ...database, databaseBytes: 1 }, ...others];
  assert.equal(forgeryOf({ ...manifest, parts }, aDataKey)?.code, "damaged");
  assert.equal(
    forgeryOf({ ...manifest, tenantId: "0f0c1c1e-6d0b-5d5e-9d0b-2f9f3b1d7a55" }, aDataKey)?.code,
    "damaged",
  );
  assert.equal(forgeryOf(manifest, parseDataKey(newDataKey()))?.code, "wrong-key");
});
