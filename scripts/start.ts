/** `npm start`: everything that is needed, then the tenant `acme`. */
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
  console.log(servicesTable(stack.ports, stack.state.secrets));
  return 0;
});
