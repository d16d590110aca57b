import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { startFakeApi, tenantOf } from "../testing/fake-api.ts";
import { runInProcess } from "../testing/run-cli.ts";

const home = mkdtempSync(join(tmpdir(), "completion-"));
const state = join(home, "deeplens", "deeplens");
mkdirSync(state, { recursive: true });
mkdirSync(join(home, "deeplens", "logs"));
writeFileSync(join(state, "token"), "a-token-of-the-tests");
const items = [
  tenantOf({ slug: "acme" }),
  tenantOf({ slug: "acme-two", state: "stuck" }),
  tenantOf({ slug: "beta" }),
];
const api = await startFakeApi({ "GET /v1/tenants": { status: 200, body: { items, next: null } } });
writeFileSync(
  join(state, "stack.json"),
  JSON.stringify({ api: { url: api.url, tokenFile: join(state, "token") } }),
);
after(async () => {
  await api.close();
  rmSync(home, { recursive: true, force: true });
});

/** The words offered in place of the last one. */
const offered = async (...words: readonly string[]): Promise<string[]> => {
  const { stdout } = await runInProcess(["__complete", "--", ...words], home);
  return stdout
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => line.split("\t")[0] ?? "");
};

test("commands are offered, and what the table hides is not", async () => {
  const commands = await offered("");
  for (const name of ["create", "status", "shards", "doctor", "completion", "help"])
    assert.ok(commands.includes(name), name);
  assert.ok(!commands.includes("__complete"));
  assert.deepEqual(await offered("sta"), ["status"]);
  assert.deepEqual(await offered("no-such"), []);
});

test("a command's own commands, its flags, and the global ones after it", async () => {
  assert.deepEqual(await offered("shards", ""), ["accept"]);
  assert.deepEqual(await offered("shards", "accept", "1", "--st"), ["--stream"]);
  assert.deepEqual(await offered("--inst"), ["--installation"]);
  assert.deepEqual(await offered("list", "--js"), ["--json"]);
});

test("values of a flag: its choices, its words, a list's next word", async () => {
  assert.deepEqual(await offered("shards", "accept", "1", "--stream", ""), ["requests", "replies"]);
  assert.deepEqual(await offered("retry", "acme", "--step", "st"), ["storage"]);
  assert.deepEqual(await offered("doctor", "--only", "kafka,red"), ["kafka,redis"]);
  assert.deepEqual(await offered("completion", ""), ["bash", "zsh", "fish"]);
  assert.deepEqual(await offered("--installation", "dee"), ["deeplens"]);
  assert.deepEqual(await offered("credentials", "acme", "--out", ""), [":files"]);
});

test("names of tenants come from the API, with their state, wherever a tenant that is there is meant", async () => {
  for (const command of ["status", "watch", "saga", "retry", "credentials"])
    assert.deepEqual(await offered(command, ""), ["acme", "acme-two", "beta"], command);
  assert.deepEqual(await offered("--json", "status", "acme-"), ["acme-two"]);
  assert.deepEqual(await offered("sagas", "--tenant", "b"), ["beta"]);
  assert.deepEqual(await offered("create", ""), []);
  assert.deepEqual(await offered("status", "acme", ""), []);
  const { stdout } = await runInProcess(["__complete", "--", "status", "acme-"], home);
  assert.equal(stdout, "acme-two\tstuck\n");
});

test("where the API does not answer nothing is offered, and nothing is said", async () => {
  const answer = await runInProcess(["__complete", "--", "--api", "http://127.0.0.1:9", "status", ""], home);
  assert.deepEqual(answer, { code: 0, stdout: "", stderr: "" });
});
