import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, beforeEach, test } from "node:test";
import { type Answer, startFakeApi } from "../testing/fake-api.ts";
import { runInProcess } from "../testing/run-cli.ts";

const home = mkdtempSync(join(tmpdir(), "keys-"));
const state = join(home, "deeplens", "deeplens");
mkdirSync(state, { recursive: true });
writeFileSync(join(state, "token"), "a-token-of-the-tests");
after(() => rmSync(home, { recursive: true, force: true }));

const masterKeyFile = join(state, "master.key");
const line = (version: number): string => `v${version}:${Buffer.alloc(32, version).toString("base64")}`;
beforeEach(() => writeFileSync(masterKeyFile, `${line(1)}\n`));

const keys = (current: string, ...secrets: readonly number[]): Answer => ({
  status: 200,
  body: {
    current,
    versions: secrets.map((count, index) => ({ version: `v${index + 1}`, known: true, secrets: count })),
  },
});
const rewrapped = (moved: number, left: number): Answer => ({
  status: 200,
  body: { current: "v2", moved, left },
});

const run = async (answers: Readonly<Record<string, Answer>>, ...args: readonly string[]) => {
  const api = await startFakeApi(answers);
  writeFileSync(
    join(state, "stack.json"),
    JSON.stringify({ api: { url: api.url, tokenFile: join(state, "token") }, masterKeyFile }),
  );
  try {
    return { ...(await runInProcess(["keys", ...args], home)), calls: api.calls };
  } finally {
    await api.close();
  }
};

test("keys shows the versions and what is under each", async () => {
  const { stdout } = await run({ "GET /v1/keys": keys("v2", 3, 4) });
  assert.match(stdout, /v1 +3\nv2 +4 +current\n/);
});

test("rotate-master adds a line to the file, in place, and moves every secret", async () => {
  const { code, stdout, calls } = await run(
    { "GET /v1/keys": keys("v2", 0, 7), "POST /v1/keys/rewrap": rewrapped(7, 0) },
    "rotate-master",
    "--yes",
    "--reason",
    "yearly",
  );
  assert.equal(code, 0);
  assert.match(
    readFileSync(masterKeyFile, "utf8"),
    new RegExp(`^${line(1).replaceAll("+", "\\+")}\nv2:[^\n]{44}\n$`),
  );
  assert.match(stdout, /7 of 7 secrets moved to v2\nDone: 7 secrets/);
  assert.deepEqual(calls.find(({ method }) => method === "POST")?.body, { reason: "yearly", atMost: 200 });
});

test("nothing is done where nobody can be asked and --yes was not given", async () => {
  const { code, stderr } = await run({ "GET /v1/keys": keys("v1", 7) }, "rotate-master");
  assert.equal(code, 2);
  assert.match(stderr, /encrypt 7 secrets anew.*nobody can be asked/);
  assert.equal(readFileSync(masterKeyFile, "utf8"), `${line(1)}\n`);
});

test("no second key is made before a rotation that was stopped is finished", async () => {
  const { code, stderr } = await run({ "GET /v1/keys": keys("v2", 5, 2) }, "rotate-master", "--yes");
  assert.equal(code, 2);
  assert.match(stderr, /5 secrets are still under v1.*\n.*--resume/);
  const resumed = await run(
    { "GET /v1/keys": keys("v2", 5, 2), "POST /v1/keys/rewrap": rewrapped(5, 0) },
    "rotate-master",
    "--resume",
  );
  assert.equal(resumed.code, 0);
  assert.equal(readFileSync(masterKeyFile, "utf8"), `${line(1)}\n`);
});

test("no secret is touched where the orchestrator does not see the new key", async () => {
  const { code, stderr, calls } = await run({ "GET /v1/keys": keys("v1", 7) }, "rotate-master", "--yes");
  assert.equal(code, 1);
  assert.match(stderr, /does not see the new key v2.*\n.*restart the fleet/);
  assert.ok(!calls.some(({ method }) => method === "POST"));
});

test("--new-key-only makes the key and stops", async () => {
  const { code, calls } = await run(
    { "GET /v1/keys": keys("v1", 7) },
    "rotate-master",
    "--yes",
    "--new-key-only",
  );
  assert.equal(code, 0);
  assert.match(readFileSync(masterKeyFile, "utf8"), /\nv2:/);
  assert.ok(!calls.some(({ method }) => method === "POST"));
});
