import { randomUUID } from "node:crypto";
import type { Plan, PlannedActName, TenantActTold } from "@deeplens/client/api";
import { type Command, Option } from "commander";
import { type ExitCode, exitCodes } from "../exit-code.ts";
import { timeSpan } from "../flags.ts";
import { planLines, refusalLines } from "../plan-text.ts";
import { acting, type Commands, type Session } from "../session.ts";
import { tenantReference } from "../tenant-reference.ts";
import { wishOf } from "../wish.ts";
import { backupParts } from "./backups.ts";
import { type CreateOptions, withWishFlags } from "./create.ts";
import { tierArgument } from "./tier.ts";

type Told = Omit<TenantActTold, "tenantId" | "reason">;
interface Options {
  readonly grace?: number;
  readonly purge?: boolean;
  readonly part?: "all" | "database" | "vectors";
}

/** `plan <act> ...`: what that command would do, by the plan that it shows itself. Nothing is done. */
export const addPlan = (commands: Commands): void => {
  const plan = commands.program
    .command("plan")
    .description("show what a command would do, or why it would be refused; does nothing")
    .addHelpText(
      "after",
      '\nExamples:\n  $ tenantctl plan tier acme free\n  $ tenantctl plan remove acme --grace 30d --json\n  $ tenantctl plan create "Acme Corp" --tier free --storage deeplens --admin-email ada@acme.example --admin-name "Ada Lovelace"',
    );
  withWishFlags(plan.command("create"))
    .description("every name that a new tenant would have")
    .action(
      acting<CreateOptions, [string]>(commands, async (session, name) => {
        const wish = await wishOf(session, name);
        const requestId = session.options.requestId ?? randomUUID();
        return tell(session, await session.api().planRequest(wish, requestId));
      }),
    );
  const add = (
    act: PlannedActName,
    arrange: (command: Command) => Command = (command) => command,
    toldOf: (options: Options, more: string) => Told = () => ({}),
  ): void => {
    arrange(plan.command(act).argument("<name>", "the tenant's name, slug or id")).action(
      acting<Options, [string, string]>(commands, async (session, name, more) =>
        tell(session, await session.api().planAct(tenantReference(name), act, toldOf(session.options, more))),
      ),
    );
  };
  add(
    "remove",
    (command) =>
      command
        .description("what of a tenant would go, and until when it could be restored")
        .option("--grace <time>", "how long it can be restored: 7d, 12h, 30m", timeSpan)
        .option("--purge", "no last backup and no grace period"),
    ({ grace, purge }) => (purge === true ? { graceMs: 0 } : grace === undefined ? {} : { graceMs: grace }),
  );
  add(
    "tier",
    (command) => command.description("what would break with another tier").addArgument(tierArgument()),
    (_options, tier) => ({ tier }),
  );
  add("migrate", (command) => command.description("from which version of the template to which"));
  add("suspend", (command) => command.description("what would be closed"));
  add("resume", (command) => command.description("what would be opened"));
  add("restore", (command) => command.description("what a removal that is taken back would give again"));
  add(
    "restore-backup",
    (command) =>
      command
        .description("what would be restored from a backup")
        .argument("<backup>", "the backup's id, as `backups` lists it")
        .addOption(new Option("--part <part>", "what of it").choices(backupParts).default("all")),
    ({ part = "all" }, backup) => ({ restore: { backup, parts: part } }),
  );
};

const tell = ({ out }: Pick<Session<unknown>, "out">, plan: Plan): ExitCode => {
  out.result(plan, () => textOf(plan).join("\n"));
  return plan.refusals.length === 0 ? exitCodes.ok : exitCodes.refused;
};

const textOf = (plan: Plan): string[] => {
  if (plan.already)
    return [`${plan.act} of ${plan.slug}: it is so already, or becomes so; nothing would be done.`];
  const refused = refusalLines(plan).map((line) => `It would be refused: ${line}`);
  return plan.does.length === 0 ? refused : [...planLines(plan), ...refused];
};
