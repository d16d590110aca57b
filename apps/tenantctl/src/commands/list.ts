import type { Tenant } from "@deeplens/client";
import { exitCodes } from "../exit-code.ts";
import { acting, type Commands } from "../session.ts";
import { columns, moment, shown } from "../text.ts";

interface Options {
  readonly state?: string;
  readonly all?: boolean;
  readonly limit: string;
}

const live = ["provisioning", "ready", "compensating", "stuck"];

export const addList = (commands: Commands): void => {
  commands.program
    .command("list")
    .description("list tenants, newest first; those that were rolled back only with --all")
    .option("--state <states>", "only these: provisioning, ready, compensating, rolled-back, stuck")
    .option("--all", "those that were rolled back too")
    .option("--limit <number>", "at most so many", "100")
    .addHelpText("after", "\nExamples:\n  $ tenantctl list\n  $ tenantctl list --state ready,stuck --json")
    .action(
      acting<Options, []>(commands, async ({ api, options, out }) => {
        const states = options.state?.split(",") ?? (options.all === true ? undefined : live);
        const limit = Number(options.limit);
        const page = await api().tenants({ limit, ...(states === undefined ? {} : { states }) });
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
