/** `npm test`: every test, on an installation of its own that is new each time and gone afterwards. */
import { availableParallelism } from "node:os";
import { ensureEngine } from "./stack/engine.ts";
import { orTell } from "./stack/failure.ts";
import { oneAtATime } from "./stack/one-at-a-time.ts";
import { readOptions, UsageError } from "./stack/options.ts";
import { projectRoot } from "./stack/project-root.ts";
import { removeAll } from "./stack/remove-all.ts";
import { stateFolder } from "./stack/state-folder.ts";
import { bringUp } from "./stack/up.ts";
import { type Counts, closingLine, noTests, runTests, sum } from "./testing/run-tests.ts";
import { findTests, type TestFiles } from "./testing/test-files.ts";

const minutes = 60_000;
const testSettings = {
  // A step's five attempts last some ten seconds here and not two minutes: long enough for a service to be started again.
  ...{ BACK_OFF_MS: "500", BACK_OFF_MAX_MS: "5000" },
  // A customer's S3 is the installation's own MinIO here, which has no certificate.
  BYOS_PLAIN_HTTP: "allow",
};

await orTell(async () => {
  const options = readOptions(process.argv.slice(2), {
    usage: "npm test",
    example: "npm test -- apps/db-worker --keep",
    installation: "deeplens-test",
    words: "parts of test files' paths",
    flags: {
      memory: { type: "boolean", help: "only the tests that need no service" },
      keep: { type: "boolean", help: "use the test installation that is there, and keep it afterwards" },
      "no-stack": { type: "boolean", help: "as --keep, and it is up already" },
    },
  });
  const tests = findTests(projectRoot, options.words);
  const found = tests.memory.length + tests.services.length + tests.alone.length;
  if (found === 0) throw new UsageError(`No test file's path has "${options.words.join('" or "')}" in it.`);
  const withServices = !options.flag("memory") && tests.services.length + tests.alone.length > 0;
  const keep = options.flag("keep") || options.flag("no-stack");

  let counts = await runTests(projectRoot, tests.memory, {
    concurrency: availableParallelism(),
    timeoutMs: 5 * minutes,
  });
  if (withServices) {
    const run = () => runOnStack(options.installation, tests, { keep, up: !options.flag("no-stack") });
    const onStack = options.flag("no-stack") ? run() : oneAtATime(options.installation, run);
    counts = sum(counts, await onStack.catch(toldAsFailure));
  }
  console.log(`\n${closingLine(counts)}`);
  return counts.failed === 0 && counts.passed > 0 ? 0 : 1;
});

async function runOnStack(
  installation: string,
  tests: TestFiles,
  stack: { readonly keep: boolean; readonly up: boolean },
): Promise<Counts> {
  let counts = noTests;
  const end = endOn(["SIGINT", "SIGTERM"]);
  try {
    if (stack.up) {
      for (const [name, value] of Object.entries(testSettings)) process.env[name] ??= value;
      await ensureEngine();
      if (!stack.keep) await removeAll(installation);
      await bringUp(installation, "tests");
    }
    process.env.DEEPLENS_STACK_FILE = stateFolder(installation).stackFile;
    process.env.DEEPLENS_INSTALLATION = installation;
    for (const [files, concurrency] of [
      [tests.services, 2],
      [tests.alone, 1],
    ] as const) {
      if (end.asked()) break;
      counts = sum(counts, await runTests(projectRoot, files, { concurrency, timeoutMs: 20 * minutes }));
    }
  } catch (error) {
    counts = sum(counts, toldAsFailure(error)); // the installation is removed all the same
  }
  if (stack.keep)
    console.log(
      `\nThe installation ${installation} is kept; remove it: npm run reset -- --installation ${installation}`,
    );
  else await removeAll(installation);
  return end.asked() ? sum(counts, { passed: 0, failed: 1 }) : counts;
}

/** The run still closes with its line: what kept tests from running, or stayed behind, counts as one failure. */
function toldAsFailure(error: unknown): Counts {
  console.error(`\n${error instanceof Error ? error.message : String(error)}`);
  return { passed: 0, failed: 1 };
}

/** An interrupted run still removes what it made: the signal only ends the part that is running. */
function endOn(signals: readonly NodeJS.Signals[]): { readonly asked: () => boolean } {
  let asked = false;
  for (const signal of signals) {
    process.on(signal, () => {
      if (asked) process.exit(130);
      asked = true;
    });
  }
  return { asked: () => asked };
}
