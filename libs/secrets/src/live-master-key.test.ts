import assert from "node:assert/strict";
import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { masterKeyOf } from "./live-master-key.ts";
import { newMasterKeyLine, parseMasterKey, seal, unseal } from "./master-key.ts";

const folder = mkdtempSync(join(tmpdir(), "master-key-"));
after(() => rmSync(folder, { recursive: true, force: true }));
const file = join(folder, "master.key");
const [first, second] = [newMasterKeyLine(1), newMasterKeyLine(2)];

const fromFile = () => {
  writeFileSync(file, `${first}\n`);
  return masterKeyOf({ DEEPLENS_MASTER_KEY: first, DEEPLENS_MASTER_KEY_FILE: file });
};

test("a line that is added to the file counts from the next use, and old secrets still open", () => {
  const key = fromFile();
  const old = seal(key, "hush", ["a"]);
  assert.equal(old.keyVersion, "v1");
  const foreign = seal(parseMasterKey(`${first}\n${second}`), "hush", ["a"]);
  appendFileSync(file, `${second}\n`);
  assert.equal(unseal(key, foreign, ["a"]), "hush"); // another process has used it already
  assert.equal(seal(key, "hush", ["a"]).keyVersion, "v2");
  assert.equal(unseal(key, old, ["a"]), "hush");
});

test("a file that is half written, gone, or lost a line changes nothing", () => {
  const key = fromFile();
  const old = seal(key, "hush", []);
  writeFileSync(file, `${first}\nv2:half`);
  assert.equal(key.current, "v1");
  rmSync(file);
  assert.equal(unseal(key, old, []), "hush");
  writeFileSync(file, `${second}\n`);
  assert.equal(key.current, "v2");
  assert.equal(unseal(key, old, []), "hush");
});

test("a key that came as a text stays as it is", () => {
  assert.equal(masterKeyOf({ DEEPLENS_MASTER_KEY: first }).current, "v1");
  assert.throws(() => masterKeyOf({ DEEPLENS_MASTER_KEY: "v1:short" }));
});
