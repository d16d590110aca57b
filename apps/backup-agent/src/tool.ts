import { type ChildProcessByStdio, spawn } from "node:child_process";
import { once } from "node:events";
import type { Readable, Writable } from "node:stream";

const longestErrorText = 2_000;

/** A program to run: its arguments are seen by everybody on the machine, so they never hold a secret. */
export interface Tool {
  readonly command: string;
  readonly arguments: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  /** Given to its standard input. A program that ends before it has read all of it is no error. */
  readonly input?: AsyncIterable<Buffer>;
}

/**
 * Runs a program and hands what it writes to `read`, which must read it to its end.
 *
 * @returns what `read` gave, once the program has ended well
 * @throws with the program's own words when it fails or can't be started; the input's own error; AbortError (the
 * program is ended first)
 */
export const runTool = async <T>(
  tool: Tool,
  signal: AbortSignal,
  read: (output: Readable) => Promise<T>,
): Promise<T> => {
  const child = spawn(tool.command, tool.arguments, {
    env: tool.environment,
    stdio: [tool.input === undefined ? "ignore" : "pipe", "pipe", "pipe"],
    signal,
  }) as ChildProcessByStdio<Writable | null, Readable, Readable>;
  const ended = end(child, tool.command);
  try {
    const [result] = await Promise.all([read(child.stdout), ended, feed(tool.input, child.stdin)]);
    return result;
  } catch (error) {
    child.kill("SIGTERM");
    // The first error is the one that is told: how the ended tool fails after it says nothing new.
    await ended.catch(() => {});
    throw error;
  }
};

const feed = async (input: AsyncIterable<Buffer> | undefined, stdin: Writable | null): Promise<void> => {
  if (input === undefined || stdin === null) return;
  let broken: NodeJS.ErrnoException | undefined;
  stdin.on("error", (error) => {
    broken = error;
  });
  for await (const chunk of input) {
    if (stdin.destroyed) break;
    if (!stdin.write(chunk)) await drainedOrClosed(stdin);
  }
  stdin.end();
  // It ended without reading on: how it ended says whether that is an error.
  if (broken !== undefined && broken.code !== "EPIPE") throw broken;
};

const drainedOrClosed = (stdin: Writable): Promise<void> =>
  new Promise((resolve) => {
    const done = (): void => {
      for (const event of ["drain", "close", "error"]) stdin.off(event, done);
      resolve();
    };
    if (stdin.destroyed) return done();
    for (const event of ["drain", "close", "error"]) stdin.once(event, done);
  });

const end = async (
  child: ChildProcessByStdio<Writable | null, Readable, Readable>,
  command: string,
): Promise<void> => {
  let errors = "";
  child.stderr.on("data", (chunk: Buffer) => {
    if (errors.length < longestErrorText) errors += chunk.toString();
  });
  const [code, killedBy] = (await once(child, "close")) as [number | null, string | null];
  if (code !== 0)
    throw new Error(
      `${command} ended with ${killedBy ?? `exit code ${code}`}: ${errors.trim().slice(0, longestErrorText) || "it said nothing"}`,
    );
};

/** The version in what `<tool> --version` writes: `15.20` of `pg_dump (PostgreSQL) 15.20 (Debian ...)`. */
export const versionIn = (text: string): string => /\d+(\.\d+)+/.exec(text)?.[0] ?? text.trim();
