/** Decides what each service's image is called and whether it is pulled or built: no engine is asked here. */
import { contentHash } from "./content-hash.ts";
import type { ImageEntry } from "./image-list.ts";

export type ImageSource = "official" | "build";

export type PlannedImage =
  | { readonly how: "pull"; readonly entry: ImageEntry; readonly tag: string }
  | { readonly how: "build"; readonly entry: ImageEntry; readonly tag: string; readonly hash: string };

/** in: the list in build order. out: one plan for each entry, in that order. */
export function planImages(
  root: string,
  entries: readonly ImageEntry[],
  source: ImageSource,
): readonly PlannedImage[] {
  const hashes = new Map<string, string>();
  return entries.map((entry) => {
    if (source === "official" && entry.official) {
      hashes.set(entry.service, entry.official);
      return { how: "pull", entry, tag: entry.official };
    }
    const below = entry.needs.map((need) => hashes.get(need) ?? need);
    const sources = [...(entry.sources ?? [entry.context]), ...(entry.dockerfile ? [entry.dockerfile] : [])];
    const hash = contentHash(root, sources, below);
    hashes.set(entry.service, hash);
    return { how: "build", entry, tag: tagOf(entry, hash), hash };
  });
}

/** The two bases keep the names that Dockerfiles use everywhere; all else is named by its content. */
const tagOf = (entry: ImageEntry, hash: string): string =>
  isBase(entry) && entry.official ? entry.official : `deeplens-local/${entry.service}:${hash}`;

export const isBase = (entry: ImageEntry): boolean => entry.service === "base" || entry.service === "node";
