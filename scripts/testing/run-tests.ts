/** Runs test files with node:test, shows them as they go, and counts. */
import { join } from "node:path";
import { finished } from "node:stream/promises";
import { run } from "node:test";
import { spec } from "node:test/reporters";

export type Counts = { readonly passed: number; readonly failed: number };

export const noTests: Counts = { passed: 0, failed: 0 };
export const sum = (a: Counts, b: Counts): Counts => ({
  passed: a.passed + b.passed,
  failed: a.failed + b.failed,
});

/** in: files from `root`, how many at once, and the patience with one file. Never throws for a failing test. */
export async function runTests(
  root: string,
  files: readonly string[],
  options: { readonly concurrency: number; readonly timeoutMs: number },
): Promise<Counts> {
  if (files.length === 0) return noTests;
  let counts = noTests;
  const tests = run({
    files: files.map((file) => join(root, file)),
    concurrency: options.concurrency,
    timeout: options.timeoutMs,
    cwd: root,
  });
  tests.on("test:summary", (summary) => {
    if (summary.file !== undefined) return; // one file's; the last one is of all
    const failed =
      summary.counts.tests - summary.counts.passed - summary.counts.skipped - summary.counts.todo;
    counts = { passed: summary.counts.passed, failed: summary.success ? failed : Math.max(failed, 1) };
  });
  const shown = tests.compose(new spec());
  shown.pipe(process.stdout, { end: false });
  await finished(shown);
  return counts;
}

/** The line that closes a run, as CI reads it. */
export const closingLine = ({ passed, failed }: Counts): string => `${passed} passed, ${failed} failed`;
