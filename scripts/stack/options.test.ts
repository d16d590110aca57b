import assert from "node:assert/strict";
import { test } from "node:test";
import { parseInstallation, readOptions } from "./options.ts";

const about = {
  words: "paths",
  usage: "npm run thing",
  example: "npm run thing",
  installation: "deeplens",
  flags: { yes: { type: "boolean", help: "" } },
} as const;

test("flags, words and the installation are told apart", () => {
  const options = readOptions(["--yes", "apps/x", "--installation", "mine"], about);
  assert.equal(options.flag("yes"), true);
  assert.deepEqual(options.words, ["apps/x"]);
  assert.equal(options.installation, "mine");
});

test("an unknown flag is refused and the help is named", () => {
  assert.throws(() => readOptions(["--yess"], about), /--yess[\s\S]*--help/);
});

test("a word where none is meant is refused: `npm run reset other` is not a reset of the usual one", () => {
  const { words: _words, ...wordless } = about;
  assert.throws(() => readOptions(["other"], wordless), /"other" means nothing/);
});

test("a flag that npm took for its own is told, not passed over", (t) => {
  process.env.npm_config_installation = "other";
  t.after(() => delete process.env.npm_config_installation);
  assert.throws(() => readOptions([], about), /npm run thing -- --installation/);
  assert.equal(readOptions(["--installation", "mine"], about).installation, "mine");
});

test("a name that containers, topics or buckets would refuse is no installation", () => {
  for (const wrong of ["", "A", "a", "a_b", "-a", "a-", "a/b", "x".repeat(16), "a b"]) {
    assert.throws(() => parseInstallation(wrong), /is no name/);
  }
  assert.equal(parseInstallation("deeplens-test"), "deeplens-test");
});
