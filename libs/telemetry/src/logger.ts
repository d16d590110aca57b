import pino, { type DestinationStream, type Logger as PinoLogger } from "pino";

export type Logger = PinoLogger;

// Keys whose values are secrets wherever they turn up, down to three levels.
const secretKeys = [
  "password",
  "adminPassword",
  "secret",
  "secretKey",
  "secretAccessKey",
  "apiKey",
  "api_key",
  "token",
  "authorization",
  "masterKey",
  "credentials",
  "sasl",
  "connectionString",
];
const paths = secretKeys.flatMap((key) => [key, `*.${key}`, `*.*.${key}`, `*.*.*.${key}`]);

/**
 * The JSON logger of a process. Bind `tenant` and `saga` with `logger.child({ tenant, saga })`: each line about one
 * tenant names them. Secrets are cut out by the names of their keys; texts of errors must not hold any.
 */
export const createLogger = (service: string, level = "info", destination?: DestinationStream): Logger => {
  const options = {
    level,
    base: { service },
    timestamp: pino.stdTimeFunctions.isoTime,
    redact: { paths, censor: "[secret]" },
    formatters: { level: (label: string) => ({ level: label }) },
  };
  return destination === undefined ? pino(options) : pino(options, destination);
};
