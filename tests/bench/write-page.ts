/** `npm run generate` runs it: docs/performance.md after its findings were changed by hand. */
import { writePage } from "./page.ts";

writePage();
