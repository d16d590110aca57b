import type { Tenant } from "@deeplens/client";
import { exitCodes } from "../exit-code.ts";
import { someOf, wholeNumber } from "../flags.ts";
import { acting, type Commands } from "../session.ts";
import { columns, moment, shown } from "../text.ts";

interface Options {
  readonly state?: readonly string[];
  readonly all?: boolean;
  readonly limit: number;
}

const live = ["provisioning", "ready", "compensating", "stuck", "suspended", "removing"];
const states = [...live, "rolled-back", "removed"];

export const addList = (commands: Commands): void => {
  commands.program
    .command("list")
    .description("list tenants, newest first; those that were rolled back or removed only with --all")
    .option("--state <states>", `only these: ${states.join(", ")}`, someOf(states))
    .option("--all", "those that were rolled back or removed too")
    .option("--limit <number>", "at most so many", wholeNumber(1, 200), 100)
    .addHelpText("after", "\nExamples:\n  $ tenantctl list\n  $ tenantctl list --state ready,stuck --json")
    .action(
      acting<Options, []>(commands, async ({ api, options, out }) => {
        const asked = options.state ?? (options.all === true ? states : live);
        const page = await api().tenants({ limit: options.limit, states: asked });
        out.result(page, () => tableOf(page.items, page.next !== null));
        return exitCodes.ok;
      }),
    );
};

const tableOf = (tenants: readonly Tenant[], more: boolean): string => {
  if (tenants.length === 0) return 'There is no tenant. Make one: tenantctl create "Acme Corp"';
  const rows = tenants.map((tenant) => [
    tenant.slug,
    tenant.state,
    tenant.tier,
    tenant.storageType,
    moment(tenant.createdAt),
    shown(tenant.name),
  ]);
  const table = columns([["SLUG", "STATE", "TIER", "STORAGE", "SINCE", "NAME"], ...rows]);
  return more ? `${table}\nThere are more: ask with --limit or --state.` : table;
};
