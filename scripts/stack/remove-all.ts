/** Removes an installation whole: containers, volumes, network, state folder. Nothing without its label. */
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { task } from "../bootstrap/task.mjs";
import { belongingsOf } from "./belongings.ts";
import { stateFolder } from "./state-folder.ts";

/** Removing twice is removing once. Throws TaskFailure, with the state folder still there. */
export async function removeAll(installation: string): Promise<void> {
  const folder = stateFolder(installation).path;
  const there = Object.values(await belongingsOf(installation)).flat();
  if (there.length === 0 && !existsSync(folder)) return;
  const logs = mkdtempSync(join(tmpdir(), "deeplens-reset-")); // not in the folder that goes
  await task(`removing the installation ${installation}`, { log: join(logs, "reset.log") }, async (run) => {
    // Workers may make a container while others are being removed: twice finds those too.
    for (let round = 0; round < 2; round++) {
      const { containers } = await belongingsOf(installation);
      if (containers.length > 0) await run("docker", ["rm", "--force", "--volumes", ...containers]);
    }
    const { volumes, networks } = await belongingsOf(installation);
    if (volumes.length > 0) await run("docker", ["volume", "rm", "--force", ...volumes]);
    if (networks.length > 0) await run("docker", ["network", "rm", ...networks]);
  });
  rmSync(folder, { recursive: true, force: true });
  rmSync(logs, { recursive: true, force: true });
}
