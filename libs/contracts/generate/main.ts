/**
 * Writes what follows from the Avro schemas and the topics: the TypeScript types and docs/messages.md.
 * `--check` compares instead, and exits 1 where they differ.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { type RecordName, recordNames, schemaText } from "../src/schemas.ts";
import { messagesPage } from "./messages-page.ts";
import { type AvroRecord, typesOf } from "./types-of.ts";

const schemaOf = (record: RecordName): AvroRecord => JSON.parse(schemaText(record));

const files = [
  { path: "../src/generated/messages.ts", text: typesOf(recordNames.map(schemaOf)) },
  { path: "../../../docs/messages.md", text: messagesPage(schemaOf) },
];

for (const { path, text } of files) {
  const file = new URL(path, import.meta.url);
  if (!process.argv.includes("--check")) {
    writeFileSync(file, text);
  } else if (contentsOf(file) !== text) {
    console.error(
      `${file.pathname} is older than the schemas and topics of libs/contracts; run \`npm run generate\``,
    );
    process.exitCode = 1;
  }
}

function contentsOf(file: URL): string | undefined {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return undefined;
  }
}
