/** `npm run reset`: removes everything of one installation, after asking. */
import { existsSync, rmSync } from "node:fs";
import { createInterface } from "node:readline/promises";
import { type Belongings, belongingsOf } from "./stack/belongings.ts";
import { engineExists, ensureEngine } from "./stack/engine.ts";
import { orTell } from "./stack/failure.ts";
import { oneAtATime } from "./stack/one-at-a-time.ts";
import { readOptions, UsageError } from "./stack/options.ts";
import { removeAll } from "./stack/remove-all.ts";
import { stateFolder } from "./stack/state-folder.ts";

await orTell(async () => {
  const options = readOptions(process.argv.slice(2), {
    usage: "npm run reset",
    example: "npm run reset -- --yes",
    installation: "deeplens",
    flags: { yes: { type: "boolean", help: "do not ask" } },
  });
  const { installation } = options;
  // Containers and volumes can be seen by a running engine only: one that is off is started, not guessed about. Where
  // there is none, none is installed for this.
  const engine = await engineExists();
  if (engine) await ensureEngine();
  const { containers, volumes, networks } = engine ? await belongingsOf(installation) : nothing;
  const folder = stateFolder(installation).path;
  if (containers.length + volumes.length + networks.length === 0 && !existsSync(folder)) {
    console.log(`There is nothing of the installation ${installation}.`);
    return 0;
  }
  console.log(
    `This removes the installation ${installation} with all its tenants and data: ` +
      `${containers.length} containers, ${volumes.length} volumes, ${networks.length} networks, and ${folder} (passwords and logs).`,
  );
  if (!options.flag("yes") && !(await confirmed(installation))) {
    console.log("Nothing was removed.");
    return 1;
  }
  await oneAtATime(installation, async () => {
    if (engine) await removeAll(installation);
    else rmSync(folder, { recursive: true, force: true });
  });
  console.log("Removed. Images and the build cache stay for the next start.");
  return 0;
});

const nothing: Belongings = { containers: [], volumes: [], networks: [] };

async function confirmed(installation: string): Promise<boolean> {
  if (!process.stdin.isTTY)
    throw new UsageError("There is no terminal to ask on: to remove it, npm run reset -- --yes");
  const terminal = createInterface({ input: process.stdin, output: process.stdout });
  const answer = await terminal.question(`Type the installation's name (${installation}) to go on: `);
  terminal.close();
  return answer.trim() === installation;
}
