/** Writes docs/openapi.json; `npm run generate` calls it. */
import { writeFileSync } from "node:fs";
import { descriptionFile } from "../src/api/description-file.ts";

writeFileSync(new URL("../../../docs/openapi.json", import.meta.url), await descriptionFile());
