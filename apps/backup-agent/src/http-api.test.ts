import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { BackupListing, Job, JobRun } from "@deeplens/backup";
import { aBackupId, aManifest } from "@deeplens/backup/testing/manifests";
import type { ListeningServer } from "@deeplens/service";
import { createLogger } from "@deeplens/telemetry";
import { serveApi } from "./http-api.ts";

const token = "t".repeat(43);
const times = { id: "job-1", startedAt: "2026-11-24T02:00:00.000Z" };
const running: JobRun = { state: "running", ...times };
const done: JobRun = {
  state: "done",
  ...times,
  finishedAt: "2026-11-24T02:00:09.000Z",
  result: { kind: "backup", manifest: aManifest() },
};
const listing: BackupListing = {
  tenantId: aManifest().tenantId,
  backups: [],
  damaged: [],
  unknown: [],
  jobs: [],
};

describe("the agent's API", () => {
  let server: ListeningServer;
  const started: Job[] = [];
  let databaseAnswers = true;

  before(async () => {
    server = await serveApi({
      host: "127.0.0.1",
      port: 0,
      token,
      log: createLogger("test", "silent"),
      files: { read: async () => undefined, write: async () => {} },
      checks: {
        folder: () => {},
        database: () => {
          if (!databaseAnswers) throw new Error("the database does not answer");
        },
      },
      agent: {
        start: (_id, job) => {
          started.push(job);
          return running;
        },
        see: async (id, waitMs) => (id === "other" ? undefined : waitMs > 0 ? done : running),
        list: async () => listing,
      },
    });
  });
  after(() => server.close());

  const ask = async (
    path: string,
    options: { method?: string; authorization?: string | null; body?: string } = {},
  ) => {
    const { method = "GET", authorization = `Bearer ${token}`, body } = options;
    const response = await fetch(`http://127.0.0.1:${server.port}${path}`, {
      method,
      headers: authorization === null ? {} : { authorization },
      ...(body !== undefined && { body }),
    });
    return { status: response.status, body: (await response.json()) as Record<string, unknown> };
  };

  test("without the token, or with another, nothing is told and nothing is started", async () => {
    for (const authorization of [
      null,
      "",
      "Bearer ",
      `Bearer ${token}x`,
      `Bearer ${token.slice(1)}`,
      token,
    ]) {
      for (const path of ["/v1/backups", "/v1/jobs/job-1", "/v1/nothing", "/"])
        assert.equal((await ask(path, { authorization })).status, 401, `${authorization} ${path}`);
      const body = '{"kind":"backup"}';
      assert.equal((await ask("/v1/jobs/job-1", { method: "PUT", authorization, body })).status, 401);
    }
    assert.deepEqual(started, []);
  });

  test("a job is asked for: 202 while it runs, its result when it was done in time", async () => {
    const body = '{"kind":"backup"}';
    assert.deepEqual(await ask("/v1/jobs/job-1", { method: "PUT", body }), { status: 202, body: running });
    const waited = await ask("/v1/jobs/job-1?waitMs=1000", { method: "PUT", body });
    assert.equal(waited.status, 200);
    assert.deepEqual(waited.body, JSON.parse(JSON.stringify(done)));
    assert.equal((await ask("/v1/jobs/job-1")).status, 202);
    assert.equal((await ask("/v1/backups")).status, 200);
    assert.deepEqual(started, [{ kind: "backup" }, { kind: "backup" }]);
  });

  test("a job that nobody knows, or of a backup whose id is none, is refused and not started", async () => {
    const before = started.length;
    for (const body of [
      "",
      "{",
      '{"kind":"erase"}',
      '{"kind":"check","backup":"../../etc"}',
      '{"kind":"backup","x":1}',
    ])
      assert.equal((await ask("/v1/jobs/job-1", { method: "PUT", body })).status, 400, body);
    const body = JSON.stringify({ kind: "check", backup: aBackupId });
    assert.equal((await ask("/v1/jobs/job-1", { method: "PUT", body })).status, 202);
    assert.equal(started.length, before + 1);
  });

  test("what is not there is 404, what is no id 400, another method 405", async () => {
    assert.equal((await ask("/v1/jobs/other")).status, 404);
    assert.equal((await ask("/v1/jobs")).status, 404);
    assert.equal((await ask("/v1/jobs/job-1/more")).status, 404);
    assert.equal((await ask("/v1/backups/x")).status, 404);
    assert.equal((await ask("/v2/backups")).status, 404);
    assert.equal((await ask("/v1/jobs/..%2f..%2fetc")).status, 400);
    for (const wait of ["-1", "x", "30001", "1.5"])
      assert.equal((await ask(`/v1/jobs/job-1?waitMs=${wait}`)).status, 400, wait);
    assert.equal((await ask("/v1/backups", { method: "DELETE" })).status, 405);
    assert.equal((await ask("/v1/jobs/job-1", { method: "DELETE" })).status, 405);
  });

  test("health needs no token; ready names what does not answer, and why", async () => {
    assert.equal((await ask("/health/live", { authorization: null })).status, 200);
    assert.equal((await ask("/health/ready", { authorization: null })).status, 200);
    databaseAnswers = false;
    const { status, body } = await ask("/health/ready", { authorization: null });
    assert.equal(status, 503);
    assert.deepEqual(body.checks, { folder: "ok", database: "the database does not answer" });
  });

  test("a token that could be guessed is refused at start", async () => {
    const files = { read: async () => undefined, write: async () => {} };
    const options = { host: "127.0.0.1", port: 0, token: "short", checks: {}, files };
    const agent = { start: () => running, see: async () => done, list: async () => listing };
    const log = createLogger("test", "silent");
    await assert.rejects(serveApi({ ...options, log, agent }), /shorter than 32/);
  });
});
