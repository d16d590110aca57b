import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { test } from "node:test";

const service = JSON.stringify(new URL("./index.ts", import.meta.url).href);
const telemetry = JSON.stringify(import.meta.resolve("@deeplens/telemetry"));

/** A process whose body is this code (`signal` in scope); it is sent the signal once it has said "up". */
const run = async (body: string, signal?: NodeJS.Signals) => {
  const program = `
    import { once } from "node:events";
    import { runProcess, waitFor } from ${service};
    import { createLogger } from ${telemetry};
    const log = createLogger("test");
    await runProcess(log, async (signal) => { ${body} });`;
  const child = spawn(process.execPath, ["--input-type=module", "--eval", program], { env: {} });
  let output = "";
  child.stderr.on("data", (chunk) => {
    output += chunk;
  });
  child.stdout.on("data", (chunk) => {
    output += chunk;
    if (signal !== undefined && String(chunk).includes("up")) child.kill(signal);
  });
  const [code, by] = (await once(child, "close")) as [number | null, string | null];
  return { code, by, output };
};

const up = 'process.stdout.write("up\\n"); setInterval(() => {}, 1_000);';

test("SIGTERM and SIGINT abort the signal; what is under way is finished, and the process ends with 0", async () => {
  for (const signal of ["SIGTERM", "SIGINT"] as const) {
    const { code, output } = await run(
      `${up} await once(signal, "abort"); process.stdout.write("finished\\n");`,
      signal,
    );
    assert.equal(code, 0);
    assert.match(output, /"signal":"SIG\w+".*"msg":"stopping"/);
    assert.match(output, /finished\n/);
    assert.match(output, /"msg":"stopped"/);
  }
});

test("a process that still waits for a service stops at once", async () => {
  const { code, output } = await run(
    `${up} await waitFor("Kafka", async () => { throw new Error("refused"); }, { log, signal });`,
    "SIGTERM",
  );
  assert.equal(code, 0);
  assert.match(output, /"reason":"refused".*"msg":"waiting for Kafka"/);
});

test("a warning of Node's is a line of the log like any other", async () => {
  const { output } = await run('process.emitWarning("mind this"); await new Promise(setImmediate);');
  for (const line of output.trim().split("\n")) assert.doesNotThrow(() => JSON.parse(line), line);
  assert.match(output, /"level":"warn".*"name":"Warning","msg":"mind this"/);
});

test("an error that nobody caught ends the process with 1 and is told", async () => {
  for (const body of [
    'throw new Error("broken");',
    `${up} setTimeout(() => { throw new Error("broken"); }, 1); await new Promise(() => {});`,
    `${up} Promise.reject(new Error("broken")); await new Promise(() => {});`,
  ]) {
    const { code, output } = await run(body);
    assert.equal(code, 1);
    assert.match(output, /"level":"fatal".*broken/);
  }
});
