/**
 * `node strip-types.mjs <folder>...`: makes JavaScript of the TypeScript in these folders, in place. Types become blanks,
 * as Node itself does it at start, and `.ts` becomes `.js` in the names of files and in the paths that name them: so every
 * statement stays in its line and column, and a stack trace points into the source. For images, where each process would
 * else load the stripper, and keep it (docs/decisions/0019-images-ship-stripped-code.md).
 */
import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { stripTypeScriptTypes } from "node:module";
import { join } from "node:path";

/**
 * Relative paths: of imports, of URLs, of a package's `exports`.
 *
 * @param {string} text
 */
const pathsRenamed = (text) => text.replace(/"(\.{1,2}\/[^"\n]*)\.ts"/g, '"$1.js"');

/** @param {string} folder */
const strip = (folder) => {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.name === "node_modules") continue;
    if (entry.isDirectory()) strip(path);
    else if (entry.name === "package.json" || entry.name.endsWith(".mjs"))
      writeFileSync(path, pathsRenamed(readFileSync(path, "utf8")));
    else if (entry.name.endsWith(".ts")) {
      writeFileSync(
        path.replace(/\.ts$/, ".js"),
        pathsRenamed(stripTypeScriptTypes(readFileSync(path, "utf8"))),
      );
      rmSync(path);
    }
  }
};

for (const folder of process.argv.slice(2)) strip(folder);
