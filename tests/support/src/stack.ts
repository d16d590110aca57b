import { readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";

/** The running installation that tests use, as its set-up described it in stack.json: addresses as the host sees them. */
export interface Stack {
  readonly installation: string;
  readonly network: string;
  readonly kafka: {
    readonly brokers: readonly string[];
    readonly username: string;
    readonly password: string;
  };
  readonly schemaRegistry: { readonly url: string };
  readonly controlDb: { host: string; port: number; database: string; user: string; password: string };
  readonly tenantDb: { host: string; port: number; adminUser: string; password: string };
  readonly redis: { host: string; port: number; adminUser: string; password: string };
  readonly minio: { endpoint: string; rootUser: string; password: string };
  readonly identity: { url: string };
  readonly api: { url: string; tokenFile: string };
  readonly masterKeyFile: string;
  readonly images: { qdrant: string; backup: string; fakeGcs?: string };
  readonly qdrant: { httpPortBase: number; grpcPortBase: number };
}

/**
 * Reads DEEPLENS_STACK_FILE (set by `npm test`), or the state of the installation `deeplens-test`; each `passwordFile`
 * is read into `password`.
 *
 * @throws when that installation was not brought up, saying how
 */
export const stack = (): Stack => readStack(stackFile(), "npm test");

/** The file that `stack` reads. */
export const stackFile = (): string => process.env.DEEPLENS_STACK_FILE ?? stackFileOf("deeplens-test");

/** The same of an installation by its name. @throws as stack does */
export const stackOf = (installation: string): Stack =>
  readStack(stackFileOf(installation), `npm start -- --installation ${installation}`);

/** Where an installation's stack file is, by its name. */
export const stackFileOf = (installation: string): string => {
  const stateHome = process.env.XDG_STATE_HOME ?? join(homedir(), ".local", "state");
  return join(stateHome, "deeplens", installation, "stack.json");
};

const readStack = (file: string, command: string): Stack => {
  try {
    return JSON.parse(readFileSync(file, "utf8"), (_key, value) => withPassword(value)) as Stack;
  } catch (error) {
    throw new Error(
      `no installation at ${file}; bring it up with \`${command}\` (${(error as Error).message})`,
    );
  }
};

const withPassword = (value: unknown): unknown =>
  typeof value === "object" && value !== null && "passwordFile" in value
    ? { ...value, password: readFileSync(String(value.passwordFile), "utf8").trim() }
    : value;
