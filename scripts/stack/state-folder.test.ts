import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { choosePorts } from "./ports.ts";
import { ensureSecrets, secretFile } from "./secret-files.ts";
import { describeStack } from "./stack-file.ts";
import { ensureStateFolder, stateFolder } from "./state-folder.ts";

const stateHome = (t: TestContext): void => {
  const folder = mkdtempSync(join(tmpdir(), "deeplens-state-"));
  const before = process.env.XDG_STATE_HOME;
  process.env.XDG_STATE_HOME = folder;
  t.after(() => {
    if (before === undefined) delete process.env.XDG_STATE_HOME;
    else process.env.XDG_STATE_HOME = before;
    rmSync(folder, { recursive: true, force: true });
  });
};
const mode = (path: string): number => statSync(path).mode & 0o777;

test("passwords are made once, differ, are long, and only their owner reads them", (t) => {
  stateHome(t);
  const state = stateFolder("mine");
  ensureStateFolder(state);
  ensureSecrets(state);
  const first = readFileSync(secretFile(state, "kafka-password"), "utf8");
  ensureSecrets(state);
  assert.equal(readFileSync(secretFile(state, "kafka-password"), "utf8"), first);
  assert.notEqual(readFileSync(secretFile(state, "redis-password"), "utf8"), first);
  assert.match(first, /^[A-Za-z0-9_-]{40}$/); // 240 bits
  assert.match(readFileSync(state.masterKeyFile, "utf8"), /^v1:[A-Za-z0-9+/]{43}=\n$/); // 32 bytes
  assert.equal(mode(state.path), 0o700);
  assert.equal(mode(secretFile(state, "kafka-password")), 0o600);
  assert.equal(mode(state.masterKeyFile), 0o600);
});

test("stack.json names files and holds no secret", (t) => {
  stateHome(t);
  const state = stateFolder("mine");
  ensureStateFolder(state);
  ensureSecrets(state);
  const text = JSON.stringify(describeStack(state, choosePorts({}, {}, 0), []));
  for (const name of [
    "kafka-password",
    "postgres-password",
    "redis-password",
    "minio-password",
    "api-token",
  ] as const) {
    assert.ok(text.includes(secretFile(state, name)));
    assert.ok(!text.includes(readFileSync(secretFile(state, name), "utf8")));
  }
});
