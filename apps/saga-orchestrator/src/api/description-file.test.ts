import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { descriptionFile } from "./description-file.ts";

test("docs/openapi.json is what the API says of itself (npm run generate writes it)", async () => {
  const file = readFileSync(new URL("../../../../docs/openapi.json", import.meta.url), "utf8");
  assert.ok(file === (await descriptionFile()), "docs/openapi.json is old: npm run generate");
});
