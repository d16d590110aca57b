import assert from "node:assert/strict";
import { test } from "node:test";
import { isTest, read, sourceFiles, trackedFiles } from "./workspace.ts";

const mayReadTheEnvironment = [
  /^libs\/service\/src\/config\.ts$/, // what every process reads its own through
  /^apps\/tenantctl\/src\/main\.ts$/,
  /^local\/[^/]+\/src\/main\.ts$/,
  /^scripts\//,
];

test("the environment is read at the edge only", () => {
  const wrong = sourceFiles
    .filter((file) => !isTest(file) && !mayReadTheEnvironment.some((place) => place.test(file)))
    .filter((file) => /\bprocess\.env\b/.test(withoutComments(read(file))));
  assert.deepEqual(wrong, []);
});

test("no tracked file names a person's folder or a package registry", () => {
  const forbidden = [
    [/(^|[^\w.])\/(home|Users)\/\w/m, "a home folder"],
    [/(^|[^\w.])\/root\/\.?\w/m, "the home folder of root"],
    [/https?:\/\/[\w.-]*(artifactory|nexus|verdaccio)/i, "a package registry"],
    [/registry\.(npmjs|yarnpkg)\.\w/, "a package registry"],
  ] as const;
  const wrong = trackedFiles()
    .filter((file) => !/(^|\/)Dockerfile$/.test(file)) // a path there is inside the image
    .filter((file) => file !== "tests/architecture/tracked-files.test.ts")
    .flatMap((file) =>
      forbidden.filter(([pattern]) => pattern.test(read(file))).map(([, what]) => `${file} holds ${what}`),
    );
  assert.deepEqual(wrong, []);
});

test("the lock file holds no address of a registry", () => {
  assert.equal(/"resolved": "https?:/.test(read("package-lock.json")), false);
});

test("decisions are numbered one after another, each number once", () => {
  const numbers = trackedFiles()
    .flatMap((file) => /^docs\/decisions\/(\d{4})-[a-z0-9.-]+\.md$/.exec(file)?.slice(1, 2) ?? [])
    .map(Number);
  assert.deepEqual(
    numbers.sort((a, b) => a - b),
    numbers.map((_, index) => index + 1),
  );
});

test("file names are in kebab case", () => {
  const plain = /^(_?[a-z0-9]+)([-.][a-z0-9]+)*$/;
  const wrong = sourceFiles.filter((file) => !plain.test(file.split("/").at(-1) ?? ""));
  assert.deepEqual(wrong, []);
});

const withoutComments = (text: string): string =>
  text.replace(/\/\*[\s\S]*?\*\//g, "").replace(/\/\/.*$/gm, "");
