import assert from "node:assert/strict";
import { test } from "node:test";
import {
  type Import,
  imports,
  importsIn,
  isTest,
  packageNameIn,
  packageOf,
  packages,
  sourceFiles,
  target,
} from "./workspace.ts";

const kindOf = (file: string): string => file.split("/")[0] ?? "";
const said = ({ file, specifier }: Import): string => `${file} imports ${specifier}`;
const importedPackage = ({ specifier }: Import) =>
  packages.find(({ name }) => name === packageNameIn(specifier));

test("the walk finds the packages, their files and their imports", () => {
  assert.ok(packages.length >= 20, `${packages.length} packages`);
  assert.ok(sourceFiles.length > 300, `${sourceFiles.length} files`);
  assert.deepEqual(
    importsIn(
      'import a from "a";\nimport {\n  b,\n  type C,\n} from "./b.ts";\nexport * from "c/d";\nimport "e";\nawait import("f");\nconst text = "import g from h";\n',
    ),
    ["a", "./b.ts", "c/d", "e", "f"],
  );
  assert.equal(packageNameIn("@deeplens/worker/testing"), "@deeplens/worker");
});

test("no app imports another app", () => {
  const wrong = imports.filter(
    (one) =>
      kindOf(one.file) === "apps" &&
      importedPackage(one)?.folder.startsWith("apps/") &&
      importedPackage(one) !== packageOf(one.file),
  );
  assert.deepEqual(wrong.map(said), []);
});

test("libs import neither apps nor, outside their tests, what is made for tests", () => {
  const wrong = imports.filter(
    (one) =>
      kindOf(one.file) === "libs" &&
      (importedPackage(one)?.folder.startsWith("apps/") ||
        (importedPackage(one)?.folder.startsWith("tests/") && !isTest(one.file))),
  );
  assert.deepEqual(wrong.map(said), []);
});

test("contracts depend on no other package of ours", () => {
  const wrong = imports.filter(
    (one) => one.file.startsWith("libs/contracts/") && importedPackage(one) !== undefined,
  );
  assert.deepEqual(wrong.map(said), []);
});

test("nothing in apps or libs imports a stand-in of local/", () => {
  const wrong = imports.filter(
    (one) =>
      ["apps", "libs"].includes(kindOf(one.file)) &&
      (importedPackage(one)?.folder.startsWith("local/") ||
        (one.specifier.startsWith(".") && target(one).startsWith("local/"))),
  );
  assert.deepEqual(wrong.map(said), []);
});

test("no relative import leads out of its package", () => {
  const wrong = imports.filter((one) => {
    const from = packageOf(one.file);
    return from !== undefined && one.specifier.startsWith(".") && !target(one).startsWith(`${from.folder}/`);
  });
  assert.deepEqual(wrong.map(said), []);
});

test("what a package imports it declares, and what runs in production is no devDependency", () => {
  const wrong = imports.flatMap((one) => {
    const name = packageNameIn(one.specifier);
    const from = packageOf(one.file);
    if (name === undefined || from === undefined || name === from.name) return [];
    if (from.dependencies.has(name)) return [];
    const forTests = isTest(one.file) || one.file.includes("/generate/");
    // A page is built into one: what it is made of is needed when it is built, and no process loads it.
    const isBuiltIn = one.file.startsWith("apps/console/");
    if (from.devDependencies.has(name) && (forTests || isBuiltIn)) return [];
    return [`${said(one)}, which ${from.folder}/package.json does not list in its dependencies`];
  });
  assert.deepEqual(wrong, []);
});

test("what a package declares of ours it imports", () => {
  const wrong = packages.flatMap((one) =>
    [...one.dependencies, ...one.devDependencies]
      .filter((name) => name.startsWith("@deeplens/"))
      .filter(
        (name) =>
          !imports.some(
            ({ file, specifier }) => file.startsWith(`${one.folder}/`) && packageNameIn(specifier) === name,
          ),
      )
      .map((name) => `${one.folder} declares ${name} and does not import it`),
  );
  assert.deepEqual(wrong, []);
});

test("packages have no import cycle", () => {
  const edges = new Map(
    packages.map((one) => [
      one.name,
      [...one.dependencies].filter((name) => packages.some((other) => other.name === name)),
    ]),
  );
  const done = new Set<string>();
  const visit = (name: string, path: readonly string[]): void => {
    assert.ok(!path.includes(name), `a cycle: ${[...path, name].join(" -> ")}`);
    if (done.has(name)) return;
    for (const next of edges.get(name) ?? []) visit(next, [...path, name]);
    done.add(name);
  };
  for (const name of edges.keys()) visit(name, []);
});

test("Kafka's client is imported by libs/messaging alone", () => {
  assert.deepEqual(importersOf("kafkajs", ["libs/messaging/", "local/"]), []);
  assert.deepEqual(importersOf("@kafkajs/confluent-schema-registry", ["libs/messaging/"]), []);
});

test("the container engine's client is imported by libs/containers alone", () => {
  assert.deepEqual(importersOf("dockerode", ["libs/containers/"]), []);
});

const importersOf = (name: string, allowed: readonly string[]): readonly string[] =>
  imports
    .filter(({ specifier }) => packageNameIn(specifier) === name)
    .filter(({ file }) => !isTest(file) && !allowed.some((folder) => file.startsWith(folder)))
    .map(said);
