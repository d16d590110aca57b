/** local/images.json: every image of the stack, where it comes from and what it stands on. */
import { readFileSync } from "node:fs";
import { join } from "node:path";

export type ImageEntry = {
  readonly service: string;
  /** The pinned image that a registry has. One without it is built everywhere. */
  readonly official?: string;
  /** The folder that is built, from the project's root. */
  readonly context: string;
  /** Default: the context's own Dockerfile. */
  readonly dockerfile?: string;
  /** What its content hash covers. Default: the context. */
  readonly sources?: readonly string[];
  /** Images that it is built on. */
  readonly needs: readonly string[];
  /** Build arguments that take the tag of one of these. */
  readonly args?: Readonly<Record<string, string>>;
  /** A script that puts more files into the (copied) context. */
  readonly prepare?: string;
  /** Slow to build: a copy is kept in the cache folder, so that a lost engine does not cost the build again. */
  readonly keep?: boolean;
  /** Tests alone need it: `npm start` leaves it out. */
  readonly tests?: boolean;
};

/** All images, those first that others need. Throws when one needs an unknown one or itself. */
export function readImageList(root: string): readonly ImageEntry[] {
  return inBuildOrder(JSON.parse(readFileSync(join(root, "local/images.json"), "utf8")) as ImageEntry[]);
}

/** Sorts so that every image comes after those it needs. */
export function inBuildOrder(entries: readonly ImageEntry[]): readonly ImageEntry[] {
  const done: ImageEntry[] = [];
  const visit = (entry: ImageEntry, path: readonly string[]): void => {
    if (done.includes(entry)) return;
    if (path.includes(entry.service))
      throw new Error(`Images need each other: ${[...path, entry.service].join(" -> ")}`);
    for (const need of entry.needs) {
      const found = entries.find(({ service }) => service === need);
      if (!found)
        throw new Error(`The image ${entry.service} needs ${need}, which local/images.json does not have.`);
      visit(found, [...path, entry.service]);
    }
    done.push(entry);
  };
  for (const entry of entries) visit(entry, []);
  return done;
}
