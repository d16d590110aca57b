import pino, { type DestinationStream, type Logger as PinoLogger } from "pino";
import { censor } from "./censor.ts";

export type Logger = PinoLogger;

/**
 * The JSON logger of a process. Bind `tenant` and `saga` with `logger.child({ tenant, saga })`: each line about one
 * tenant names them. Secrets are cut out by the names of their keys; texts of errors must not hold any.
 */
export const createLogger = (service: string, level = "info", destination?: DestinationStream): Logger => {
  const options = {
    level,
    base: { service },
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }), log: censor },
    // The censor has made plain text of errors already, wherever they stand.
    serializers: { err: (error: unknown) => error },
  };
  return withCleanChildren(destination === undefined ? pino(options) : pino(options, destination));
};

// What is bound is written into every line as it is: it must be clean from the start.
const withCleanChildren = (logger: Logger): Logger => {
  const child = logger.child;
  return Object.assign(logger, {
    child(this: Logger, bindings: Record<string, unknown>, ...rest: [object?]) {
      return child.call(this, censor(bindings), ...rest);
    },
  });
};
