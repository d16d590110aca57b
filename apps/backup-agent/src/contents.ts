import { agentBackupsFolder, readContents } from "@deeplens/backup";

// What lies in the volume, as one line of JSON: for a look into the volume of an agent that does not run.
process.stdout.write(`${JSON.stringify(await readContents(process.argv[2] ?? agentBackupsFolder))}\n`);
