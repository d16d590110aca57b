import { runScript } from "./bootstrap/run.mjs";

await runScript("test-podman");
