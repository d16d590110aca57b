/** `npm start`: everything that is needed, then the tenant `acme`. */
import { finishedParts } from "./bootstrap/task.mjs";
import { demo } from "./demo.ts";
import { orTell } from "./stack/failure.ts";
import { oneAtATime } from "./stack/one-at-a-time.ts";
import { readOptions } from "./stack/options.ts";
import { servicesTable } from "./stack/services-table.ts";
import { bringUp } from "./stack/up.ts";

await orTell(async () => {
  const options = readOptions(process.argv.slice(2), {
    usage: "npm start",
    example: "npm start -- --installation deeplens",
    installation: "deeplens",
    flags: { "infra-only": { type: "boolean", help: "Kafka, Postgres and the like, without the fleet" } },
  });
  const only = options.flag("infra-only") ? "infrastructure" : "all";
  const stack = await oneAtATime(options.installation, () => bringUp(options.installation, only));
  const acme = only === "all" ? await demo(stack) : "";
  console.log(servicesTable(stack.ports, stack.state.secrets));
  console.log(durations());
  console.log(acme);
  return 0;
});

/** How long each part took. What was found already has no line. */
function durations(): string {
  const rows = finishedParts().map(({ title, ms }) => `  ${(ms / 1000).toFixed(1).padStart(7)} s  ${title}`);
  return ["how long each part took:", ...rows, ""].join("\n");
}
