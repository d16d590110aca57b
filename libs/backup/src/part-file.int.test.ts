import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { promisify } from "node:util";

const sizeMib = 256;
const partFile = new URL("./part-file.ts", import.meta.url).href;

// A process of its own, so that its peak of memory is the stream's and nothing else's.
const program = (path: string): string => `
  import { spawn } from "node:child_process";
  import { readPart, writePart } from ${JSON.stringify(partFile)};
  const { signal } = new AbortController();
  const file = { path: ${JSON.stringify(path)}, key: Buffer.alloc(32, 1), name: "a/b/c", compression: "zstd" };
  const source = spawn("head", ["-c", "${sizeMib}M", "/dev/urandom"], { stdio: ["ignore", "pipe", "inherit"] });
  const written = await writePart(source.stdout, file, signal);
  const read = await readPart(file, async () => {}, signal);
  console.log(JSON.stringify({ written, read, peakMib: process.resourceUsage().maxRSS / 1024 }));
`;

test(`a part of ${sizeMib} MiB is written and read back in flat memory`, async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "part-"));
  t.after(() => rm(folder, { recursive: true }));
  const { stdout } = await promisify(execFile)(process.execPath, [
    "--input-type=module",
    "--eval",
    program(join(folder, "part")),
  ]);
  const { written, read, peakMib } = JSON.parse(stdout);
  assert.equal(written.plainBytes, sizeMib * 1024 ** 2);
  assert.deepEqual(read, written);
  assert.ok(peakMib < sizeMib * 0.75, `${peakMib} MiB at its peak`);
});
