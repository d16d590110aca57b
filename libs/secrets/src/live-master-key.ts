import { readFileSync, statSync } from "node:fs";
import { type MasterKey, parseMasterKey } from "./master-key.ts";

/** What a process was told of the master key: its text, and the file that it came from where it came from one. */
export interface MasterKeySettings {
  readonly DEEPLENS_MASTER_KEY: string;
  readonly DEEPLENS_MASTER_KEY_FILE?: string | undefined;
}

/**
 * The master key of a process. Where it came from a file, a line that is added there counts from the next use, so that a
 * rotation needs no restart. A file that can't be read, or is no key any more, changes nothing.
 *
 * @throws where the text is no master key
 */
export const masterKeyOf = (settings: MasterKeySettings): MasterKey => {
  const { DEEPLENS_MASTER_KEY: text, DEEPLENS_MASTER_KEY_FILE: file } = settings;
  let key = parseMasterKey(text);
  if (file === undefined || file === "") return key;
  let seen = "";
  const newest = (): MasterKey => {
    try {
      const { mtimeMs, size, ino } = statSync(file);
      const now = `${mtimeMs}/${size}/${ino}`;
      if (now !== seen) {
        const read = parseMasterKey(readFileSync(file, "utf8"));
        // What the process was given is never forgotten: secrets may still be under it.
        key = { current: read.current, keys: new Map([...key.keys, ...read.keys]) };
        seen = now;
      }
    } catch {
      // Half written, or not to be read: the next use looks again.
    }
    return key;
  };
  return {
    get current() {
      return newest().current;
    },
    get keys() {
      return newest().keys;
    },
  };
};
