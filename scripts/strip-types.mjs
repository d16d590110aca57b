/**
 * `node strip-types.mjs <folder>...`: makes JavaScript of the TypeScript in these folders, in place. Types become blanks,
 * as Node itself does it at start, and `.ts` becomes `.js` in the names of files, in imports and in `exports`: so every
 * statement stays in its line and column, and a stack trace names the source. For images, where each process would else
 * load the stripper and keep it in memory (docs/decisions/0018-images-ship-stripped-code.md).
 */
import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { stripTypeScriptTypes } from "node:module";
import { join } from "node:path";

/** @param {string} text */
const importsRenamed = (text) => text.replace(/\b((?:from|import)\s*\(?\s*"\.[^"\n]*\.)ts"/g, '$1js"');

/** @param {string} folder */
const strip = (folder) => {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) strip(path);
    else if (entry.name === "package.json")
      writeFileSync(path, readFileSync(path, "utf8").replaceAll('.ts"', '.js"'));
    else if (entry.name.endsWith(".ts")) {
      const text = stripTypeScriptTypes(readFileSync(path, "utf8"));
      writeFileSync(path.replace(/\.ts$/, ".js"), importsRenamed(text));
      rmSync(path);
    }
  }
};

for (const folder of process.argv.slice(2)) strip(folder);
