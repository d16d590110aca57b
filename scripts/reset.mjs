import { runScript } from "./bootstrap/run.mjs";

await runScript("reset");
