import { createHash } from "node:crypto";
import { existsSync, globSync, readFileSync } from "node:fs";
import { extname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { brotliCompressSync, constants } from "node:zlib";

/** A file of the built page, as it goes out. */
export interface ConsoleFile {
  readonly type: string;
  readonly plain: Buffer;
  /** For who takes brotli; undefined where it is no smaller. */
  readonly packed: Buffer | undefined;
  readonly etag: string;
}

/** Where `npm run build -w apps/console` puts the page; the fleet's image has it there too. */
export const builtConsole = fileURLToPath(new URL("../../../console/dist/", import.meta.url));

const types: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".svg": "image/svg+xml",
  ".woff2": "font/woff2",
};

/**
 * The page's files by their path in the folder, `index.html` say; empty where it was not built. All of them are held in
 * memory (less than a megabyte): a path that is asked for is a key and never a path of the disk.
 */
export const readConsole = (folder: string): ReadonlyMap<string, ConsoleFile> =>
  new Map(
    (existsSync(folder) ? globSync("**/*.*", { cwd: folder }) : []).flatMap((path) => {
      const type = types[extname(path)];
      return type === undefined ? [] : [[path, fileOf(type, readFileSync(join(folder, path)))] as const];
    }),
  );

const fileOf = (type: string, plain: Buffer): ConsoleFile => {
  const packed = brotliCompressSync(plain, { params: { [constants.BROTLI_PARAM_QUALITY]: 9 } });
  return {
    type,
    plain,
    packed: packed.length < plain.length * 0.95 ? packed : undefined,
    etag: `"${createHash("sha256").update(plain).digest("base64url").slice(0, 22)}"`,
  };
};
