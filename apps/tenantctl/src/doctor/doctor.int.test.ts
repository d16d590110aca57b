import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { stackFile } from "@deeplens/testing";
import { runInProcess } from "../testing/run-cli.ts";

// The orchestrator of this one does not answer: that is when a doctor is needed.
const home = mkdtempSync(join(tmpdir(), "doctor-home-"));
after(() => rmSync(home, { recursive: true, force: true }));
const state = join(home, "deeplens", "deeplens");
mkdirSync(state, { recursive: true });
const description = JSON.parse(readFileSync(stackFile(), "utf8"));
const away = { ...description.api, url: "http://127.0.0.1:9" };
writeFileSync(join(state, "stack.json"), JSON.stringify({ ...description, api: away }));

test("doctor says that all is well and ends with 0", async () => {
  const { code, stdout } = await runInProcess(["doctor", "--only", "redis,minio,engine"], home);
  assert.equal(code, 0);
  assert.match(stdout, /^ok +redis +\d/m);
  assert.match(stdout, /\n\nAll is well\.\n$/);
});

test("doctor tells what it found with what mends it and ends with 3, while the orchestrator is down", async () => {
  const { code, stdout } = await runInProcess(["doctor", "--only", "orchestrator,redis"], home);
  assert.equal(code, 3);
  assert.match(stdout, /^ok +redis/m);
  assert.match(stdout, /^PROBLEM +orchestrator: .*\n +mend: docker logs .*-saga-orchestrator$/m);
});

test("doctor --json has every check and every finding; progress is not among it", async () => {
  const { code, stdout, stderr } = await runInProcess(
    ["doctor", "--json", "--only", "orchestrator,redis"],
    home,
  );
  const { checks, findings } = JSON.parse(stdout);
  assert.equal(code, 3);
  assert.deepEqual(
    checks.map((one: { check: string; status: string }) => [one.check, one.status]),
    [
      ["redis", "ok"],
      ["orchestrator", "problem"],
    ],
  );
  assert.deepEqual(Object.keys(findings[0]), ["check", "severity", "what", "mend"]);
  assert.match(stderr, /redis/);
});

test("an unknown check, and an installation that is not here, are refused", async () => {
  assert.equal((await runInProcess(["doctor", "--only", "coffee"], home)).code, 2);
  const { code, stderr } = await runInProcess(["doctor", "--installation", "elsewhere"], home);
  assert.equal(code, 2);
  assert.match(stderr, /the installation elsewhere is not set up here/);
});
