import assert from "node:assert/strict";
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { contentHash } from "./content-hash.ts";
import { type ImageEntry, inBuildOrder, readImageList } from "./image-list.ts";
import { planImages } from "./image-plan.ts";
import { parseSource } from "./image-source.ts";
import { projectRoot } from "./project-root.ts";

const entry = (service: string, needs: readonly string[] = []): ImageEntry => ({
  service,
  context: service,
  needs,
});

const projectOf = (t: TestContext, files: Record<string, string>): string => {
  const root = mkdtempSync(join(tmpdir(), "deeplens-images-"));
  t.after(() => rmSync(root, { recursive: true, force: true }));
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(join(root, path, ".."), { recursive: true });
    writeFileSync(join(root, path), text);
  }
  return root;
};

test("images are built after those they stand on", () => {
  const order = inBuildOrder([entry("fleet", ["node"]), entry("node", ["base"]), entry("base")]);
  assert.deepEqual(
    order.map(({ service }) => service),
    ["base", "node", "fleet"],
  );
});

test("images that need each other, or one that is not there, are refused", () => {
  assert.throws(() => inBuildOrder([entry("a", ["b"]), entry("b", ["a"])]), /a -> b -> a/);
  assert.throws(() => inBuildOrder([entry("a", ["b"])]), /needs b/);
});

test("the same files give the same hash; content, name and mode change it; tests and packages do not", (t) => {
  const root = projectOf(t, { "a/run.sh": "x", "a/b/c.ts": "y" });
  const before = contentHash(root, ["a"]);
  assert.equal(contentHash(root, ["a"]), before);
  mkdirSync(join(root, "a/node_modules"));
  writeFileSync(join(root, "a/node_modules/p.js"), "p");
  writeFileSync(join(root, "a/b/c.test.ts"), "t");
  assert.equal(contentHash(root, ["a"]), before);
  chmodSync(join(root, "a/run.sh"), 0o755);
  const executable = contentHash(root, ["a"]);
  assert.notEqual(executable, before);
  writeFileSync(join(root, "a/b/c.ts"), "z");
  assert.notEqual(contentHash(root, ["a"]), executable);
});

test("a change below changes the tag of everything above it, and of nothing beside it", (t) => {
  const root = projectOf(t, { "base/Dockerfile": "1", "kafka/Dockerfile": "2", "other/Dockerfile": "3" });
  const list = [entry("base"), entry("kafka", ["base"]), entry("other")];
  const tags = () => planImages(root, list, "build").map(({ tag }) => tag);
  const before = tags();
  writeFileSync(join(root, "base/Dockerfile"), "changed");
  const after = tags();
  assert.notEqual(after[0], before[0]);
  assert.notEqual(after[1], before[1]);
  assert.equal(after[2], before[2]);
});

test("official images are pulled by their pinned name; those that nobody publishes are built", () => {
  const plan = planImages(projectRoot, readImageList(projectRoot), "official");
  const how = Object.fromEntries(plan.map((image) => [image.entry.service, image.how]));
  assert.deepEqual(
    Object.keys(how).filter((service) => how[service] === "build"),
    ["minio", "fake-gcs", "identity-api", "backup", "fleet"],
  );
});

test("docker-compose.yml and the list of images pin the same official ones", () => {
  const compose = readFileSync(join(projectRoot, "docker-compose.yml"), "utf8");
  for (const service of ["kafka", "schema-registry", "postgres", "redis"]) {
    const official = readImageList(projectRoot).find((image) => image.service === service)?.official;
    assert.ok(compose.includes(`image: ${official}\n`), `${service}: ${official}`);
  }
});

test("the choice of images is one of two words", () => {
  assert.equal(parseSource("build"), "build");
  assert.equal(parseSource(""), undefined);
  assert.throws(() => parseSource("pull"), /official/);
});
