import assert from "node:assert/strict";
import { test } from "node:test";
import { manifestText, parseManifest } from "./manifest.ts";
import { aDatabasePart, aManifest, aVectorsPart } from "./testing/manifests.ts";

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
  refused({ ...aManifest(), formatVersion: 2 }, /^formatVersion: /);
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
    { ...aManifest(), parts: [aDatabasePart(), aVectorsPart({ file: "database.dump" })] },
    /two parts name the same file/,
  );
});

test("what is no JSON is refused with the reason", () => {
  const result = parseManifest('{"formatVersion": 1,');
  assert.ok(!result.ok && /^is no JSON/.test(result.reason));
});
