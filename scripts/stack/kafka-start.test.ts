import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { projectRoot } from "./project-root.ts";

/** Java's `String.hashCode`. */
const javaHash = (text: string): number =>
  [...text].reduce((hash, char) => (Math.imul(hash, 31) + char.charCodeAt(0)) | 0, 0);

test("Kafka's first user is the one whose hash is 0: without it a restart after a removal loses all users", () => {
  const script = readFileSync(join(projectRoot, "local/kafka/start.sh"), "utf8");
  const users = [...script.matchAll(/--add-scram SCRAM-SHA-512=\[name=([^,]+),/g)].map(
    (match) => match[1] ?? "",
  );
  assert.deepEqual(users.slice(1), ["deeplens"]);
  assert.equal(javaHash(users[0] ?? "deeplens"), 0);
});
