import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { BackupId, BackupRun } from "@deeplens/backup";
import { aBackupId, aManifest } from "@deeplens/backup/testing/manifests";
import type { ListeningServer } from "@deeplens/service";
import { createLogger } from "@deeplens/telemetry";
import { serveApi } from "./http-api.ts";

const token = "t".repeat(43);
const other = "20261124T020000Z-000000" as BackupId;
const done: BackupRun = { state: "done", id: aBackupId, manifest: aManifest() };
const running: BackupRun = { state: "running", id: aBackupId, startedAt: "2026-11-24T02:00:00.000Z" };

describe("the agent's API", () => {
  let server: ListeningServer;
  let started = 0;
  let databaseAnswers = true;

  before(async () => {
    server = await serveApi({
      host: "127.0.0.1",
      port: 0,
      token,
      log: createLogger("test", "silent"),
      checks: {
        folder: () => {},
        database: () => {
          if (!databaseAnswers) throw new Error("the database does not answer");
        },
      },
      backups: {
        start: () => {
          started += 1;
          return running;
        },
        see: async (id, waitMs) => (id === other ? undefined : waitMs > 0 ? done : running),
        list: async () => ({ tenantId: aManifest().tenantId, backups: [], damaged: [], unknown: [] }),
        verify: async (id) =>
          id === other ? undefined : { id, manifest: aManifest(), problems: ["database.dump: ENOENT"] },
      },
    });
  });
  after(() => server.close());

  const ask = async (path: string, options: { method?: string; authorization?: string | null } = {}) => {
    const { method = "GET", authorization = `Bearer ${token}` } = options;
    const response = await fetch(`http://127.0.0.1:${server.port}${path}`, {
      method,
      headers: authorization === null ? {} : { authorization },
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
      for (const path of ["/v1/backups", `/v1/backups/${aBackupId}`, "/v1/nothing", "/"])
        assert.equal((await ask(path, { authorization })).status, 401, `${authorization} ${path}`);
      assert.equal((await ask("/v1/backups", { method: "POST", authorization })).status, 401);
    }
    assert.equal(started, 0);
  });

  test("a backup is asked for: 202 while it runs, its manifest when it was done in time", async () => {
    assert.deepEqual(await ask("/v1/backups", { method: "POST" }), { status: 202, body: running });
    const waited = await ask("/v1/backups?waitMs=1000", { method: "POST" });
    assert.equal(waited.status, 200);
    assert.deepEqual(waited.body.manifest, JSON.parse(JSON.stringify(aManifest())));
    assert.equal((await ask(`/v1/backups/${aBackupId}`)).status, 202);
    assert.equal((await ask("/v1/backups")).status, 200);
  });

  test("a read back tells what is wrong with a backup", async () => {
    const { status, body } = await ask(`/v1/backups/${aBackupId}/verification`);
    assert.equal(status, 200);
    assert.deepEqual(body.problems, ["database.dump: ENOENT"]);
  });

  test("what is not there is 404, what is no id 400, another method 405", async () => {
    assert.equal((await ask(`/v1/backups/${other}`)).status, 404);
    assert.equal((await ask(`/v1/backups/${other}/verification`)).status, 404);
    assert.equal((await ask(`/v1/backups/${aBackupId}/manifest`)).status, 404);
    assert.equal((await ask(`/v1/backups/${aBackupId}/verification/x`)).status, 404);
    assert.equal((await ask("/v2/backups")).status, 404);
    assert.equal((await ask("/v1/backups/..%2f..%2fetc")).status, 400);
    for (const wait of ["-1", "x", "30001", "1.5"])
      assert.equal((await ask(`/v1/backups?waitMs=${wait}`)).status, 400, wait);
    assert.equal((await ask("/v1/backups", { method: "DELETE" })).status, 405);
    assert.equal((await ask(`/v1/backups/${aBackupId}`, { method: "DELETE" })).status, 405);
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
    const options = { host: "127.0.0.1", port: 0, token: "short", checks: {} };
    const backups = { start: () => running, see: async () => done, verify: async () => undefined };
    const list = async () => ({ tenantId: aManifest().tenantId, backups: [], damaged: [], unknown: [] });
    const log = createLogger("test", "silent");
    await assert.rejects(serveApi({ ...options, log, backups: { ...backups, list } }), /shorter than 32/);
  });
});
