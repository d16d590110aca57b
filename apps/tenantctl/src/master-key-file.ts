import { appendFileSync, readFileSync } from "node:fs";
import { z } from "zod";
import { Refused } from "./refused.ts";

const description = z.object({ masterKeyFile: z.string().min(1) });

/** The file with the master key of the installation that stack.json describes. @throws Refused */
export const masterKeyFileOf = (stackFile: string): string => {
  try {
    return description.parse(JSON.parse(readFileSync(stackFile, "utf8"))).masterKeyFile;
  } catch (error) {
    throw new Refused(
      "master-key-unknown",
      `${stackFile} does not say where the master key is: ${(error as Error).message}`,
      "name it with --master-key-file",
    );
  }
};

/**
 * Adds a new version to a master key file and gives its name. The line is added in place: the fleet's containers see
 * this very file, and would keep the old one where it was replaced.
 *
 * @throws Refused where the file can't be read or written, or holds no key
 */
export const addMasterKeyLine = async (file: string): Promise<string> => {
  const { newMasterKeyLine } = await import("@deeplens/secrets"); // most commands need no database's client
  try {
    const text = readFileSync(file, "utf8");
    const newest = Math.max(0, ...[...text.matchAll(/^v(\d+):/gm)].map(([, number]) => Number(number)));
    if (newest === 0) throw new Error("it holds no line v<number>:<key>");
    const line = `${newMasterKeyLine(newest + 1)}\n`;
    appendFileSync(file, text.endsWith("\n") ? line : `\n${line}`);
    return `v${newest + 1}`;
  } catch (error) {
    throw new Refused(
      "master-key-not-changed",
      `the master key ${file} could not be changed: ${(error as Error).message}`,
      "run tenantctl as the user who ran `npm start`, or name the file with --master-key-file",
    );
  }
};
