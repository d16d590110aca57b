/** `npm stop`: ends the stack and the tenants' containers; data and engine stay. */
import { bringDown } from "./stack/bring-down.ts";
import { engineAnswers } from "./stack/engine.ts";
import { orTell } from "./stack/failure.ts";
import { oneAtATime } from "./stack/one-at-a-time.ts";
import { readOptions } from "./stack/options.ts";

await orTell(async () => {
  const { installation } = readOptions(process.argv.slice(2), {
    usage: "npm stop",
    example: "npm stop -- --installation deeplens",
    installation: "deeplens",
  });
  if (!(await engineAnswers())) {
    console.log("No Docker engine runs, so nothing of the stack does.");
    return 0;
  }
  const stopped = await oneAtATime(installation, () => bringDown(installation));
  console.log(
    stopped === 0
      ? `Nothing of the installation ${installation} is running.`
      : `${stopped} containers of the installation ${installation} stopped; all data is kept. "npm start" brings them back.`,
  );
  return 0;
});
