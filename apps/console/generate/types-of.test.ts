import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { typeOf, typesOf } from "./types-of.ts";

const read = (path: string): string => readFileSync(new URL(path, import.meta.url), "utf8");

test("the console's types are those of docs/openapi.json (npm run generate writes them)", () => {
  const types = typesOf(JSON.parse(read("../../../docs/openapi.json")));
  assert.ok(types === read("../src/generated/operations.ts"), "the types are old: npm run generate");
});

test("what zod writes becomes the type that it was inferred from", () => {
  assert.equal(typeOf({ enum: ["a", "b"] }, ""), '"a" | "b"');
  assert.equal(typeOf({ anyOf: [{ type: "integer" }, { type: "null" }] }, ""), "number | null");
  assert.equal(
    typeOf({ type: "array", items: { anyOf: [{ type: "string" }, { type: "null" }] } }, ""),
    "readonly (string | null)[]",
  );
  assert.equal(
    typeOf({ type: "object", additionalProperties: { type: "string" } }, ""),
    "Readonly<Record<string, string>>",
  );
  assert.equal(
    typeOf(
      { type: "object", properties: { a: { type: "string" }, "b-c": { type: "boolean" } }, required: ["a"] },
      "",
    ),
    '{\n  readonly a: string;\n  readonly "b-c"?: boolean;\n}',
  );
  assert.throws(() => typeOf({ type: "date" }, ""), /no TypeScript type/);
});
