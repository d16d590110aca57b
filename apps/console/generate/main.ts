/** Writes the types of the API's answers from docs/openapi.json; `npm run generate` calls it. */
import { readFileSync, writeFileSync } from "node:fs";
import { typesOf } from "./types-of.ts";

const document = JSON.parse(readFileSync(new URL("../../../docs/openapi.json", import.meta.url), "utf8"));
writeFileSync(new URL("../src/generated/operations.ts", import.meta.url), typesOf(document));
