import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { text } from "node:stream/consumers";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

test("a process without its environment names every variable that it misses, and exits 78", async () => {
  const main = fileURLToPath(new URL("./main.ts", import.meta.url));
  const child = spawn(process.execPath, [main], { env: {}, stdio: ["ignore", "ignore", "pipe"] });
  const exited = once(child, "exit");
  const said = await text(child.stderr);
  assert.deepEqual(await exited, [78, null]);
  for (const name of ["IDENTITY_API_URL", "KAFKA_BROKERS", "CONTROL_DB_PASSWORD", "DEEPLENS_MASTER_KEY"])
    assert.match(said, new RegExp(`${name}: is missing`));
});
