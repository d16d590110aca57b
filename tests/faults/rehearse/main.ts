/** `npm run rehearse -- <what>`: a disaster and the way back from it, on an installation of its own. */
import { parseArgs } from "node:util";
import { rehearsals } from "./rehearsals.ts";
import { stageOf } from "./stage.ts";

const usage = `usage: npm run rehearse -- <what> [--keep] [--installation NAME] [--port-offset N]
Destroys what the disaster destroys, on an installation of its own, and comes back from it by the commands of
docs/disaster-recovery.md; each command is printed with what it said. Fails where more was lost than that page says.

${Object.entries(rehearsals)
  .map(([name, { about }]) => `  ${name.padEnd(18)} ${about}`)
  .join("\n")}

  --keep                  leave the installation for the next rehearsal
  --installation NAME     deeplens-drill unless told; it is destroyed
  --port-offset N         its ports are npm start's and this much more (12000)

example:
  npm run rehearse -- lost-postgres`;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    keep: { type: "boolean", default: false },
    installation: { type: "string", default: "deeplens-drill" },
    "port-offset": { type: "string", default: "12000" },
    help: { type: "boolean", default: false },
  },
});
const [what = ""] = positionals;
const rehearsal = Object.hasOwn(rehearsals, what) ? rehearsals[what] : undefined;
if (values.help) console.log(usage);
else if (rehearsal === undefined || values.installation === "deeplens") {
  console.error(usage);
  process.exitCode = 2;
} else {
  const stage = stageOf(values.installation, values["port-offset"]);
  const beganMs = performance.now();
  try {
    await stage.start();
    await rehearsal.run(stage);
    stage.note(`${what}: done after ${Math.round((performance.now() - beganMs) / 1_000)} s`);
  } finally {
    if (!values.keep)
      await stage.run("node", "scripts/reset.mjs", "--installation", values.installation, "--yes");
  }
}
