/** `npm run verify`: everything that needs no service. Each check runs whatever the others say; all failures are told. */
import { join } from "node:path";
import { TaskFailure, task } from "./bootstrap/task.mjs";
import { orTell } from "./stack/failure.ts";
import { readOptions } from "./stack/options.ts";
import { projectRoot } from "./stack/project-root.ts";
import { machineLogs } from "./stack/state-folder.ts";

const bin = (name: string): string => join(projectRoot, "node_modules/.bin", name);

const checks = [
  {
    name: "style",
    title: "format and lint (biome)",
    command: [bin("biome"), "ci", "--colors=off", "."],
    hint: "npm run format",
  },
  { name: "types", title: "types (tsc)", command: [bin("tsc"), "-p", ".", "--noEmit"], hint: "see the log" },
  {
    name: "console-types",
    title: "types of the console's page (tsc)",
    command: [bin("tsc"), "-p", "apps/console", "--noEmit"],
    hint: "see the log",
  },
  {
    name: "generated",
    title: "types follow from the schemas",
    command: [process.execPath, "libs/contracts/generate/main.ts", "--check"],
    hint: "npm run generate, then commit what changed",
  },
  {
    name: "dead-code",
    title: "dead code (knip)",
    command: [bin("knip"), "--no-progress", "--no-config-hints"],
    hint: "remove what nobody uses",
  },
  {
    name: "tests",
    title: "tests in memory, boundaries among them",
    command: [process.execPath, "scripts/test.ts", "--memory"],
    hint: "npm test -- --memory <part of the file's path>",
  },
] as const;

await orTell(async () => {
  readOptions(process.argv.slice(2), {
    usage: "npm run verify",
    example: "npm run verify",
    installation: "deeplens",
  });
  const started = Date.now();
  const failures: string[] = [];
  for (const { name, title, command, hint } of checks) {
    const log = join(machineLogs(), `verify-${name}.log`);
    try {
      await task(title, { log, hint }, (run) => run(command[0], command.slice(1), { cwd: projectRoot }));
    } catch (error) {
      if (!(error instanceof TaskFailure)) throw error;
      failures.push(error.message);
    }
  }
  for (const failure of failures) console.error(`\n${failure}`);
  const seconds = ((Date.now() - started) / 1000).toFixed(1);
  console.log(
    `\nverify: ${checks.length - failures.length} of ${checks.length} checks passed in ${seconds} s`,
  );
  return failures.length === 0 ? 0 : 1;
});
