/**
 * Writes src/generated/messages.ts: the TypeScript types of the Avro schemas.
 * `--check` compares instead, and exits 1 where they differ.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { recordNames, schemaText } from "../src/schemas.ts";
import { typesOf } from "./types-of.ts";

const file = new URL("../src/generated/messages.ts", import.meta.url);
const text = typesOf(recordNames.map((record) => JSON.parse(schemaText(record))));

if (!process.argv.includes("--check")) {
  writeFileSync(file, text);
} else if (readFileSync(file, "utf8") !== text) {
  console.error("libs/contracts: the generated types are older than the schemas; run `npm run generate`");
  process.exitCode = 1;
}
