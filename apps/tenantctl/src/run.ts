import { Command, CommanderError } from "commander";
import { addAbort, addResume, addRetry } from "./commands/acts.ts";
import { addBackup, addBackups, addRestoreBackup } from "./commands/backups.ts";
import { addCompletion } from "./commands/completion.ts";
import { addConfig } from "./commands/config.ts";
import { addCreate } from "./commands/create.ts";
import { addCredentials } from "./commands/credentials.ts";
import { addDoctor } from "./commands/doctor.ts";
import { addHealth } from "./commands/health.ts";
import { addKeys } from "./commands/keys.ts";
import { addList } from "./commands/list.ts";
import { addMigrate } from "./commands/migrate.ts";
import { addPlan } from "./commands/plan.ts";
import { addRemove } from "./commands/remove.ts";
import { addRepair } from "./commands/repair.ts";
import { addRestore } from "./commands/restore.ts";
import { addRotate } from "./commands/rotate.ts";
import { addSaga } from "./commands/saga.ts";
import { addSagas } from "./commands/sagas.ts";
import { addSecret } from "./commands/secret.ts";
import { addShards } from "./commands/shards.ts";
import { addStatus } from "./commands/status.ts";
import { addSuspend } from "./commands/suspend.ts";
import { addTier } from "./commands/tier.ts";
import { addWatch } from "./commands/watch.ts";
import { type ExitCode, exitCodeHelp, exitCodes } from "./exit-code.ts";
import { failureOf } from "./failure.ts";
import { webAddress } from "./flags.ts";
import { Refused } from "./refused.ts";
import type { Commands } from "./session.ts";
import { shown } from "./text.ts";
import type { World } from "./world.ts";

const examples = `
Examples:
  $ tenantctl create "Acme Corp"                 asks for what it needs, shows the progress
  $ tenantctl create acme --tier free --storage deeplens \\
      --admin-email ada@acme.example --admin-name "Ada Lovelace"
  $ tenantctl secret put acme-s3.json            its own storage's credentials: gives a reference
  $ tenantctl status acme                        its state, its parts, what it waits for
  $ tenantctl sagas --status stuck               what waits for an operator
  $ tenantctl suspend acme --reason "..."        closes every way in; \`resume\` opens it again
  $ tenantctl remove acme --reason "..."         can be restored for a week
  $ tenantctl tier acme professional --reason "..."
  $ tenantctl plan remove acme                   what a command would do, and nothing else
  $ tenantctl backup acme                        a backup now; \`backups\` lists them
  $ tenantctl rotate acme --reason "..."         new credentials; the old ones end after a day
  $ tenantctl credentials acme --out acme.txt    its passwords and keys, for its eyes only
  $ tenantctl list --json | jq -r .items[].slug`;

/** Runs the command line `argv` (without node and script) and gives the exit code. Never throws. */
export const run = async (argv: readonly string[], world: World): Promise<ExitCode> => {
  const json = argv.includes("--json");
  const program = programOf(world, json);
  const commands: Commands = { program, world, exitCode: exitCodes.ok };
  for (const add of [
    addCreate,
    addStatus,
    addList,
    addWatch,
    addSagas,
    addSaga,
    addRetry,
    addResume,
    addAbort,
    addSuspend,
    addRemove,
    addRestore,
    addBackup,
    addBackups,
    addRestoreBackup,
    addRepair,
    addTier,
    addMigrate,
    addPlan,
    addRotate,
    addShards,
    addCredentials,
    addSecret,
    addHealth,
    addDoctor,
    addKeys,
    addConfig,
    addCompletion,
  ])
    add(commands);
  try {
    await program.parseAsync(argv, { from: "user" });
    return commands.exitCode;
  } catch (error) {
    if (!(error instanceof CommanderError)) return tell(world, json, error);
    // --help ends here too.
    if (error.exitCode === 0) return exitCodes.ok;
    // Commander has told a person already.
    return json ? tell(world, json, wrongUsage(error)) : exitCodes.refused;
  }
};

const programOf = (world: World, json: boolean): Command =>
  new Command("tenantctl")
    .description("Makes tenants of DeepLens, and shows and steers their sagas.")
    .option("--installation <name>", "whose API (default: DEEPLENS_INSTALLATION, then deeplens)")
    .option("--api <url>", "the API's address, in place of the installation's", webAddress)
    .option("--token-file <file>", "the file with the API's token, in place of the installation's")
    .option("--json", "print JSON for programs; progress goes to standard error")
    .addHelpText("after", `${examples}\n${exitCodeHelp}`)
    .configureHelp({ showGlobalOptions: true })
    .configureOutput({
      writeOut: (text) => world.stdout.write(text),
      writeErr: (text) => json || world.stderr.write(text),
    })
    .showHelpAfterError("(see tenantctl --help)")
    .exitOverride();

const wrongUsage = ({ code, message }: CommanderError): Refused =>
  new Refused(
    "usage",
    code === "commander.help"
      ? "no command was given"
      : message
          .replace(/^error: /, "")
          .split("\n")
          .join(" "),
    "see `tenantctl --help`",
  );

const tell = (world: World, json: boolean, error: unknown): ExitCode => {
  const failure = failureOf(error);
  const { exitCode, ...rest } = failure;
  if (json) world.stdout.write(`${JSON.stringify({ error: rest }, null, 2)}\n`);
  else world.stderr.write(`tenantctl: ${shown(failure.message)}\n  what to do: ${shown(failure.next)}\n`);
  return exitCode;
};
