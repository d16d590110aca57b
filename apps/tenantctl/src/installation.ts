import { readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { z } from "zod";
import { Refused } from "./refused.ts";

/** Where an installation's API is, and which file has its token. */
export interface Installation {
  readonly name: string;
  readonly stackFile: string;
  readonly api: string;
  readonly tokenFile: string;
}

export interface InstallationOptions {
  readonly installation?: string | undefined;
  readonly api?: string | undefined;
  readonly tokenFile?: string | undefined;
}

const stackSchema = z.object({ api: z.object({ url: z.url(), tokenFile: z.string().min(1) }) });

/**
 * The installation by flags, then by the environment, then by what `npm start` left in the person's state folder.
 *
 * @throws Refused where it was not set up here
 */
export const findInstallation = (
  options: InstallationOptions,
  environment: Readonly<Record<string, string | undefined>>,
): Installation => {
  const name = options.installation ?? environment.DEEPLENS_INSTALLATION ?? "deeplens";
  const stackFile = join(installationsFolder(environment), name, "stack.json");
  if (options.api !== undefined && options.tokenFile !== undefined)
    return { name, stackFile, api: options.api, tokenFile: options.tokenFile };
  const stack = readStack(name, stackFile);
  return {
    name,
    stackFile,
    api: options.api ?? stack.url,
    tokenFile: options.tokenFile ?? stack.tokenFile,
  };
};

/** The folder with one of each installation that `npm start` set up for this person. */
export const installationsFolder = (environment: Readonly<Record<string, string | undefined>>): string =>
  join(environment.XDG_STATE_HOME || join(homedir(), ".local", "state"), "deeplens");

const readStack = (name: string, file: string): { url: string; tokenFile: string } => {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    throw new Refused(
      "installation-unknown",
      `the installation ${name} is not set up here: ${(error as Error).message}`,
      "run `npm start`, name another one with --installation, or give --api and --token-file",
    );
  }
  try {
    return stackSchema.parse(JSON.parse(text)).api;
  } catch (error) {
    throw new Refused(
      "stack-file-wrong",
      `${file} can't be used: ${(error as Error).message}`,
      "run `npm start` again: it writes the file anew",
    );
  }
};

/** The API's token. @throws Refused where the file can't be read */
export const readToken = ({ tokenFile, name }: Installation): string => {
  try {
    return readFileSync(tokenFile, "utf8").trim();
  } catch (error) {
    throw new Refused(
      "token-unreadable",
      `the API token of ${name} can't be read: ${(error as Error).message}`,
      "run tenantctl as the user who ran `npm start`, or give a readable --token-file",
    );
  }
};
