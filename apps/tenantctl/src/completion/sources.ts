import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { createApiClient } from "@deeplens/client/api";
import {
  findInstallation,
  type InstallationOptions,
  installationsFolder,
  readToken,
} from "../installation.ts";
import type { World } from "../world.ts";
import type { Candidate, Sources } from "./candidates.ts";

// Somebody waits with a finger on the key.
const patienceMs = 2_000;
const pages = 5;

/** Tenants by the API, installations by the state folder; where nobody answers there is nothing to complete. */
export const sourcesFor = (world: World, words: readonly string[]): Sources => ({
  tenants: () => tenantsOf(world, words).catch(() => []),
  installations: () => {
    const folder = installationsFolder(world.environment);
    try {
      return readdirSync(folder)
        .filter((name) => existsSync(join(folder, name, "stack.json")))
        .map((word) => ({ word, about: "" }));
    } catch {
      return [];
    }
  },
});

const tenantsOf = async (world: World, words: readonly string[]): Promise<readonly Candidate[]> => {
  const installation = findInstallation(globalsIn(words), world.environment);
  const api = createApiClient({
    url: installation.api,
    token: readToken(installation),
    actor: world.actor,
    timeoutMs: patienceMs,
  });
  const found: Candidate[] = [];
  const until = Date.now() + patienceMs;
  let cursor: string | null = "";
  for (let page = 0; page < pages && cursor !== null && Date.now() < until; page++) {
    const answer: Awaited<ReturnType<typeof api.tenants>> = await api.tenants({ limit: 200, cursor });
    found.push(...answer.items.map(({ slug, state }) => ({ word: slug, about: state })));
    cursor = answer.next;
  }
  // A name may have had several tenants, newest first.
  return [...new Map(found.reverse().map((one) => [one.word, one])).values()].sort((one, other) =>
    one.word.localeCompare(other.word),
  );
};

// The global options of the line that is being written.
const globalsIn = (words: readonly string[]): InstallationOptions => {
  const textAfter = (flag: string): string | undefined => {
    const place = words.indexOf(flag);
    return place < 0 ? undefined : words[place + 1];
  };
  return {
    installation: textAfter("--installation"),
    api: textAfter("--api"),
    tokenFile: textAfter("--token-file"),
  };
};
