import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { type AgentSettings, agentFiles, newDataKey } from "@deeplens/backup";
import { aTenantId, aWrappedKey } from "@deeplens/backup/testing/manifests";

const main = new URL("./main.ts", import.meta.url).pathname;
const settings: AgentSettings = {
  ...{ installation: "deeplens", tenantId: aTenantId, slug: "acme", wrappedKey: aWrappedKey },
  database: { host: "postgres", port: 5432, database: "d", user: "u" },
  vectors: { url: "http://qdrant:6333" },
  redis: { host: "redis", port: 6379, user: "u", prefix: "tenant:acme:" },
  topic: { name: "events", asOf: "2026-11-24T02:00:00.000Z", partitions: 3, config: {} },
  ...{ schedule: "0 2 * * *", timeZone: "UTC", spreadMs: 0, drillDays: 7, retentionDays: 30 },
};

const ended = async (t: TestContext, files: Readonly<Record<string, string>>) => {
  const folder = await mkdtemp(join(tmpdir(), "agent-files-"));
  t.after(() => rm(folder, { recursive: true }));
  for (const [name, content] of Object.entries(files)) await writeFile(join(folder, name), content);
  const { status, stderr } = spawnSync(process.execPath, [main], {
    encoding: "utf8",
    env: { PATH: "/usr/bin:/bin", AGENT_FILES: folder, AGENT_BACKUPS: folder, AGENT_PORT: "0" },
    timeout: 20_000,
  });
  return { status, stderr };
};

// Seen to fail with the error thrown in place of the exit: the engine would start it again without end, and say nothing.
test("an agent whose files are missing or wrong ends with 78, the file's name and the reason, and tells no secret", async (t) => {
  const whole = JSON.stringify(settings);
  const key = newDataKey();
  for (const [files, reason] of [
    [{}, /agent\.json is wrong:\n {2}ENOENT/],
    [{ [agentFiles.settings]: "{" }, /agent\.json is wrong:\n {2}.*JSON/],
    [
      { [agentFiles.settings]: JSON.stringify({ ...settings, schedule: "every night" }) },
      /agent\.json is wrong/,
    ],
    [
      { [agentFiles.settings]: JSON.stringify({ ...settings, timeZone: "Mars/Olympus" }) },
      /agent\.json is wrong/,
    ],
    [{ [agentFiles.settings]: JSON.stringify({ ...settings, retentionDays: 0 }) }, /retentionDays: /],
    [{ [agentFiles.settings]: whole }, /data-key is wrong:\n {2}ENOENT/],
    [
      { [agentFiles.settings]: whole, [agentFiles.dataKey]: key.slice(1) },
      /data-key is wrong:\n {2}.*32 bytes/,
    ],
  ] as const) {
    const { status, stderr } = await ended(t, files);
    assert.equal(status, 78, stderr);
    assert.match(stderr, reason);
    assert.ok(!stderr.includes(key.slice(1)));
  }
});
