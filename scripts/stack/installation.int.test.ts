// What `npm stop`, the next `npm start` and `npm run reset` do with an installation's containers, volumes and network,
// on the engine: small installations of the test's own, made of sleeping containers.
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { belongingsOf } from "./belongings.ts";
import { bringDown } from "./bring-down.ts";
import { capture, lines, succeeds } from "./command.ts";
import { readImageList } from "./image-list.ts";
import { projectRoot } from "./project-root.ts";
import { removeAll } from "./remove-all.ts";
import { ensureStateFolder, stateFolder } from "./state-folder.ts";
import { startTenantContainers } from "./tenant-containers.ts";

const image = readImageList(projectRoot).find(({ service }) => service === "node")?.official ?? "";
const word = randomBytes(2).toString("hex");
const [mine, neighbour] = [`i${word}`, `i${word}-x`];
const folder = mkdtempSync(join(tmpdir(), "deeplens-installation-"));
const stateBefore = process.env.XDG_STATE_HOME;

const docker = (...args: string[]) => capture("docker", args);
const labelled = (installation: string, ...more: string[]) =>
  [`deeplens.installation=${installation}`, ...more].flatMap((label) => ["--label", label]);

/** One container of the stack, two tenants' (the second one stopped), a tenant's volume, a network. */
const make = async (installation: string): Promise<void> => {
  ensureStateFolder(stateFolder(installation));
  await docker("network", "create", ...labelled(installation), `${installation}-network`);
  await docker("volume", "create", ...labelled(installation), `${installation}_qdrant_a_data`);
  const run = (name: string, ...labels: string[]) => [
    ...["run", "--detach", "--init", "--network", `${installation}-network`],
    ...["--name", `${installation}-${name}`, ...labelled(installation, ...labels)],
  ];
  const volume = ["--volume", `${installation}_qdrant_a_data:/data`];
  await docker(...run("redis", "com.docker.compose.service=redis"), image, "sleep", "1000");
  await docker(...run("qdrant-a", "tenant=a"), ...volume, image, "sleep", "1000");
  await docker(...run("qdrant-b", "tenant=b"), image, "sleep", "1000");
  await docker("stop", "--time", "5", `${installation}-qdrant-b`);
};

const running = async (installation: string): Promise<string[]> =>
  (
    await lines("docker", [
      ...["ps", "--format", "{{.Names}}", "--filter", `label=deeplens.installation=${installation}`],
    ])
  ).sort();

before(async () => {
  process.env.XDG_STATE_HOME = folder;
  await make(mine);
  await make(neighbour);
});
after(async () => {
  for (const installation of [mine, neighbour]) await removeAll(installation);
  process.env.XDG_STATE_HOME = stateBefore ?? "";
  rmSync(folder, { recursive: true, force: true });
});

test("a stop ends what runs and keeps it; the next start brings back what the stop ended, and nothing else", async () => {
  const state = stateFolder(mine);
  await docker("exec", `${mine}-qdrant-a`, "sh", "-c", "echo kept >/data/file");
  assert.equal(await bringDown(mine), 2);
  assert.deepEqual(await running(mine), []);
  assert.equal(await bringDown(mine), 0); // twice is once
  await startTenantContainers(state);
  assert.deepEqual(await running(mine), [`${mine}-qdrant-a`]);
  assert.equal(await docker("exec", `${mine}-qdrant-a`, "cat", "/data/file"), "kept\n");
  assert.equal((await running(neighbour)).length, 2);
});

test("a reset removes all of its installation, and nothing of another whose name begins with its own", async () => {
  await removeAll(mine);
  assert.deepEqual(await belongingsOf(mine), { containers: [], volumes: [], networks: [] });
  assert.equal(existsSync(stateFolder(mine).path), false);
  const others = await belongingsOf(neighbour);
  assert.deepEqual(
    [
      others.containers.length,
      others.volumes.length,
      others.networks.length,
      (await running(neighbour)).length,
    ],
    [3, 1, 1, 2],
  );
  assert.ok(existsSync(stateFolder(neighbour).path));
  assert.equal(await succeeds("docker", ["volume", "inspect", `${neighbour}_qdrant_a_data`]), true);
  await removeAll(mine); // twice is once
});
