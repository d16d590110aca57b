/** Finds the tests and tells which way each is run. */
import { globSync } from "node:fs";

export type TestFiles = {
  /** In memory, any number at once. */
  readonly memory: readonly string[];
  /** Against the running services. */
  readonly services: readonly string[];
  /** Across apps: each has the stack to itself. */
  readonly alone: readonly string[];
};

/** in: the project's folder, and words of which a file's path must have one (none: all files). */
export function findTests(root: string, filters: readonly string[]): TestFiles {
  const found = globSync("{apps,libs,local,tests,scripts}/**/*.test.ts", {
    cwd: root,
    exclude: (name) => name === "node_modules" || name.endsWith("/node_modules"),
  });
  return sortTests(found, filters);
}

export function sortTests(files: readonly string[], filters: readonly string[]): TestFiles {
  const wanted = files
    .filter((file) => filters.length === 0 || filters.some((filter) => file.includes(filter)))
    .sort();
  // tests/support is a library like any other; the rest of tests/ crosses apps.
  const crossesApps = (file: string) => file.startsWith("tests/") && !file.startsWith("tests/support/");
  const needsServices = (file: string) => file.endsWith(".int.test.ts") || file.startsWith("tests/e2e/");
  return {
    memory: wanted.filter((file) => !needsServices(file)),
    services: wanted.filter((file) => needsServices(file) && !crossesApps(file)),
    alone: wanted.filter((file) => needsServices(file) && crossesApps(file)),
  };
}
