import assert from "node:assert/strict";
import { test } from "node:test";
import { imageSettings, nodeFlagsOf } from "./image-settings.ts";

test("the image's settings are read from its Dockerfile, quoted ones and several on a line", () => {
  const settings = imageSettings();
  assert.match(settings.NODE_OPTIONS ?? "", /^--max-old-space-size=\d+ --max-semi-space-size=\d+$/);
  assert.equal(settings.NODE_ENV, "production");
  assert.equal(settings.MALLOC_ARENA_MAX, "1");
  assert.ok("MALLOC_TRIM_THRESHOLD_" in settings);
});

test("a process's own flags are read from docker-compose.yml", () => {
  assert.match(
    nodeFlagsOf("saga-orchestrator").join(" "),
    /^--max-old-space-size=\d+ --max-semi-space-size=\d+$/,
  );
  assert.deepEqual(nodeFlagsOf("db-worker"), []);
  assert.throws(() => nodeFlagsOf("no-worker"), /no command for no-worker/);
});
