import type { Logger } from "@deeplens/telemetry";

const stopMs = 10_000;

/**
 * Runs a process: calls `body` with a signal that SIGTERM and SIGINT abort, and ends the process when it returns.
 * A stop that takes longer than 10 s, or an error nobody caught, ends it with exit code 1: what was under way is
 * found again by fences, ledger and offsets.
 */
export const runProcess = async (
  log: Logger,
  body: (signal: AbortSignal) => Promise<void>,
): Promise<void> => {
  const stop = new AbortController();
  const onSignal = (name: string): void => {
    if (stop.signal.aborted) return;
    log.info({ signal: name }, "stopping");
    stop.abort();
    setTimeout(() => fail(log, new Error(`did not stop within ${stopMs} ms`)), stopMs).unref();
  };
  process.on("SIGTERM", onSignal).on("SIGINT", onSignal);
  // Node's own warnings become lines of the log, in place of text on standard error.
  process.removeAllListeners("warning").on("warning", ({ name, message }) => log.warn({ name }, message));
  process.on("uncaughtException", (error) => fail(log, error));
  process.on("unhandledRejection", (error) => fail(log, error));
  try {
    await body(stop.signal);
    log.info("stopped");
    process.exit(0);
  } catch (error) {
    if (stop.signal.aborted && (error as Error).name === "AbortError") process.exit(0);
    fail(log, error);
  }
};

const fail = (log: Logger, error: unknown): never => {
  log.fatal({ err: error }, "the process ends");
  process.exit(1);
};
