/** The workspace as the architecture's tests see it: packages, their source files, and what each file imports. */
import { execFileSync } from "node:child_process";
import { existsSync, globSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";

export const root = fileURLToPath(new URL("../..", import.meta.url));

export interface Package {
  readonly name: string;
  /** Its folder from the root: `libs/worker`. */
  readonly folder: string;
  readonly dependencies: ReadonlySet<string>;
  readonly devDependencies: ReadonlySet<string>;
}

export interface Import {
  /** The file from the root. */
  readonly file: string;
  /** What it says: `./x.ts`, `node:fs`, `@deeplens/worker/testing`. */
  readonly specifier: string;
}

const folders = ["apps/*", "libs/*", "local/*", "tests/*"];

export const packages: readonly Package[] = globSync(
  folders.map((folder) => `${folder}/package.json`),
  { cwd: root },
)
  .sort()
  .map((file) => {
    const manifest = JSON.parse(read(file)) as {
      name: string;
      dependencies?: Record<string, string>;
      devDependencies?: Record<string, string>;
    };
    return {
      name: manifest.name,
      folder: dirname(file),
      dependencies: new Set(Object.keys(manifest.dependencies ?? {})),
      devDependencies: new Set(Object.keys(manifest.devDependencies ?? {})),
    };
  });

/** Every TypeScript file of the packages and of scripts/, from the root. */
export const sourceFiles: readonly string[] = globSync("{apps,libs,local,tests,scripts}/**/*.{ts,tsx,mts}", {
  cwd: root,
  exclude: (name) => /(^|\/)(node_modules|dist)$/.test(name),
}).sort();

export const imports: readonly Import[] = sourceFiles.flatMap((file) =>
  importsIn(read(file)).map((specifier) => ({ file, specifier })),
);

/** Files that git tracks, or would: new ones that it does not ignore too. */
export const trackedFiles = (): readonly string[] =>
  execFileSync("git", ["ls-files", "--cached", "--others", "--exclude-standard", "-z"], {
    cwd: root,
    encoding: "utf8",
    maxBuffer: 2 ** 25,
  })
    .split("\0")
    .filter((file) => file !== "" && existsSync(join(root, file)));

/** The text of a file, its path from the root. */
export function read(file: string): string {
  return readFileSync(join(root, file), "utf8");
}

/** What a source text imports, exports from, or loads by `import()`. */
export function importsIn(text: string): readonly string[] {
  const statements = /^(?:import|export)\s(?:[\w\s{},*]*?\sfrom\s+)?["']([^"']+)["']/gm;
  const calls = /\bimport\(\s*["']([^"']+)["']/g;
  return [...text.matchAll(statements), ...text.matchAll(calls)].map((match) => match[1] ?? "");
}

/** The package that a file belongs to; undefined for the root's own. */
export const packageOf = (file: string): Package | undefined =>
  packages.find(({ folder }) => file.startsWith(`${folder}/`));

/** The package's name in a specifier: `@a/b/c` is of `@a/b`; undefined for a relative one and for Node's own. */
export function packageNameIn(specifier: string): string | undefined {
  if (specifier.startsWith(".") || specifier.startsWith("node:")) return undefined;
  return specifier
    .split("/")
    .slice(0, specifier.startsWith("@") ? 2 : 1)
    .join("/");
}

/** Where a relative import leads, from the root. */
export const target = ({ file, specifier }: Import): string =>
  relative(root, resolve(root, dirname(file), specifier));

/** True for tests and for what only tests load. */
export const isTest = (file: string): boolean =>
  /\.test\.ts$|\.suite\.ts$|\.fixture\.ts$|\/testing\/|\/test-[^/]+\.ts$/.test(file) ||
  file.startsWith("tests/");
