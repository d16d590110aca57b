// Images that are made, kept and found again, on the engine: a small one `FROM scratch`, in folders of the test's own.
import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { capture, succeeds } from "./command.ts";
import { ensureImages } from "./image-builder.ts";
import { planImages } from "./image-plan.ts";
import { ensureStateFolder, stateFolder } from "./state-folder.ts";

const probe = (t: TestContext) => {
  const folder = mkdtempSync(join(tmpdir(), "deeplens-builder-"));
  const before = { state: process.env.XDG_STATE_HOME, cache: process.env.XDG_CACHE_HOME };
  process.env.XDG_STATE_HOME = join(folder, "state");
  process.env.XDG_CACHE_HOME = join(folder, "cache");
  mkdirSync(join(folder, "probe"));
  writeFileSync(join(folder, "probe/Dockerfile"), "FROM scratch\nCOPY Dockerfile /\n");
  writeFileSync(join(folder, "probe/name"), folder);
  const plan = planImages(folder, [{ service: "probe", context: "probe", needs: [], keep: true }], "build");
  const tag = plan[0]?.tag ?? "";
  const state = stateFolder("probe");
  ensureStateFolder(state);
  t.after(async () => {
    process.env.XDG_STATE_HOME = before.state ?? "";
    process.env.XDG_CACHE_HOME = before.cache ?? "";
    await succeeds("docker", ["rmi", tag]);
    rmSync(folder, { recursive: true, force: true });
  });
  const copies = join(folder, "cache/deeplens/images");
  return {
    ensure: () => ensureImages(folder, state, plan),
    forget: () => capture("docker", ["rmi", tag]),
    copy: () => join(copies, readdirSync(copies)[0] ?? ""),
  };
};

const countBuilds = (t: TestContext): (() => number) => {
  const said = t.mock.method(console, "log", () => undefined);
  return () =>
    said.mock.calls.filter((call) => String(call.arguments[0]).startsWith("done  building")).length;
};

test("an image that the engine lost comes back from the cache, and is built again where the copy was cut off", async (t) => {
  const image = probe(t);
  const built = countBuilds(t);
  const again = async (): Promise<number> => {
    await image.forget();
    await image.ensure();
    return built();
  };
  await image.ensure();
  assert.equal(await again(), 1);
  truncateSync(image.copy(), 100);
  assert.equal(await again(), 2);
  assert.equal(await again(), 2); // the copy is whole again
});

// Seen to fail without the lock: both built, and wrote the same copy at once.
test("two commands that miss an image at once make it once", async (t) => {
  const image = probe(t);
  const built = countBuilds(t);
  await Promise.all([image.ensure(), image.ensure()]);
  assert.equal(built(), 1);
});
