// One long part of a command: says what it does and for how long, keeps its output in a log file, and fails with the
// log's path and its last lines. Plain JavaScript because it runs before the packages are installed.
import { spawn } from "node:child_process";
import { createWriteStream, mkdirSync, readFileSync } from "node:fs";
import { dirname } from "node:path";

const parts = [];
const defaultHint = "see the log; when the reason is gone, run the command again";

/** The parts that this command has finished, in order, each with its milliseconds. */
export const finishedParts = () => [...parts];

/** A part that failed: what, where its log is, and what to do. Its message is made for a person. */
export class TaskFailure extends Error {
  constructor(title, cause, log, hint) {
    const lines = lastLines(log, 15);
    super(
      [
        `FAILED: ${title}`,
        `  why:  ${cause}`,
        ...(lines.length > 0
          ? [`  log:  ${log}`, "  its last lines:", ...lines.map((line) => `    ${line}`)]
          : []),
        ...(hint ? [`  what to do: ${hint}`] : []),
      ].join("\n"),
    );
    this.name = "TaskFailure";
  }
}

/**
 * Runs `work` as a part named `title`. `work` gets `run(command, args, options)`, whose output goes to `log`.
 * Returns what `work` returns; throws TaskFailure.
 */
export async function task(title, { log, hint = defaultHint }, work) {
  mkdirSync(dirname(log), { recursive: true, mode: 0o700 });
  const out = createWriteStream(log, { flags: "w", mode: 0o600 });
  out.on("error", (error) => console.error(`(no more goes into ${log}: ${error.message})`)); // a full disk, say
  const started = Date.now();
  const stop = tick(title, started);
  try {
    const result = await work((command, args, options) => runLogged(out, command, args, options));
    stop(`done  ${title} (${seconds(started)})`);
    parts.push({ title, ms: Date.now() - started });
    return result;
  } catch (error) {
    stop(`FAIL  ${title} (${seconds(started)})`);
    await new Promise((resolve) => out.end(resolve));
    if (error instanceof TaskFailure) throw error;
    throw new TaskFailure(title, error instanceof Error ? error.message : String(error), log, hint);
  } finally {
    out.end();
  }
}

/** Runs one command with its output in the log; resolves with its standard output, rejects on a non-zero exit. */
function runLogged(out, command, args, { cwd, env, input, timeoutMs } = {}) {
  out.write(`$ ${command} ${args.join(" ")}\n`);
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd, env: env ?? process.env, stdio: ["pipe", "pipe", "pipe"] });
    const timer = timeoutMs ? setTimeout(() => child.kill("SIGKILL"), timeoutMs) : undefined;
    let stdout = "";
    child.stdin.on("error", () => {}); // a command that reads no input may be gone before it is written
    child.stdin.end(input ?? "");
    child.stdout.on("data", (chunk) => {
      stdout += chunk;
      out.write(chunk);
    });
    child.stderr.on("data", (chunk) => out.write(chunk));
    child.on("error", (error) => {
      clearTimeout(timer);
      reject(new Error(`${command} could not be started: ${error.message}`));
    });
    child.on("close", (code, signal) => {
      clearTimeout(timer);
      if (code === 0) resolve(stdout);
      else reject(new Error(`${command} ${args[0] ?? ""} ended with ${signal ?? `exit code ${code}`}`));
    });
  });
}

/** Shows the elapsed time: a live counter on a terminal, a plain line now and then elsewhere. */
function tick(title, started) {
  if (!process.stdout.isTTY) {
    console.log(`...   ${title}`);
    const timer = setInterval(() => console.log(`...   ${title}: still at it (${seconds(started)})`), 30_000);
    return (line) => {
      clearInterval(timer);
      console.log(line);
    };
  }
  const draw = () => process.stdout.write(`\r\x1b[K...   ${title} (${seconds(started)})`);
  draw();
  const timer = setInterval(draw, 1000);
  return (line) => {
    clearInterval(timer);
    process.stdout.write(`\r\x1b[K${line}\n`);
  };
}

const seconds = (started) => `${((Date.now() - started) / 1000).toFixed(1)} s`;

function lastLines(file, count) {
  try {
    return readFileSync(file, "utf8").trimEnd().split("\n").slice(-count);
  } catch {
    return [];
  }
}
