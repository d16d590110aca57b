import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import avsc from "avsc";
import { recordNames, schemaText } from "./schemas.ts";

// FULL_TRANSITIVE, as the registry holds it: every schema that was ever released and the present one read each other.
// Seen to fail: `attempt` taken out of StepCompleted.avsc, and a field without a default put in.

const folder = new URL("./released/", import.meta.url);
const released = readdirSync(folder).map((file) => {
  const [, record = "", version = ""] = /^(\w+)\.(\d+)\.avsc$/.exec(file) ?? [];
  return { file, record, version: Number(version), text: readFileSync(new URL(file, folder), "utf8") };
});

/** Why a reader with one schema can't read what was written by the other; undefined where it can. */
const problemOf = (reader: string, writer: string): string | undefined => {
  try {
    const type = avsc.Type.forSchema(JSON.parse(reader));
    type.createResolver(avsc.Type.forSchema(JSON.parse(writer)));
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
};

for (const record of recordNames)
  test(`${record} reads every version of it that was released, and each of them reads it`, () => {
    const versions = released.filter((one) => one.record === record).sort((a, b) => a.version - b.version);
    assert.deepEqual(
      versions.map(({ version }) => version),
      versions.map((_, index) => index + 1),
      "versions are numbered without a gap",
    );
    assert.ok(
      versions.length > 0,
      `released/${record}.1.avsc is missing: a record is released with its first use`,
    );
    const present = schemaText(record);
    for (const { file, text } of versions) {
      assert.equal(problemOf(present, text), undefined, `the present schema can't read ${file}`);
      assert.equal(problemOf(text, present), undefined, `${file} can't read the present schema`);
    }
  });

test("nothing released is forgotten: each file in released/ is of a record that still travels", () => {
  const names: readonly string[] = recordNames;
  assert.deepEqual(
    released.filter(({ record }) => !names.includes(record)).map(({ file }) => file),
    [],
  );
});

test("the check itself sees what breaks readers, and lets through what does not", () => {
  const schema = (...fields: object[]) => JSON.stringify({ type: "record", name: "R", fields });
  const id = { name: "id", type: "string" };
  const note = { name: "note", type: ["null", "string"], default: null };
  const bothWays = (one: string, other: string) => [problemOf(one, other), problemOf(other, one)];
  assert.deepEqual(bothWays(schema(id), schema(id, note)), [undefined, undefined]);
  for (const broken of [
    schema(),
    schema(id, { name: "note", type: "string" }),
    schema({ name: "id", type: "long" }),
    schema({ name: "identifier", type: "string" }),
    schema({ name: "id", type: ["null", "string"], default: null }),
  ])
    assert.ok(
      bothWays(schema(id), broken).some((problem) => problem !== undefined),
      broken,
    );
});
