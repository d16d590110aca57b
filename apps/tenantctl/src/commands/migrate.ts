import type { ApiClient, Tenant } from "@deeplens/client/api";
import { confirmed } from "../confirmed.ts";
import { type ExitCode, exitCodes } from "../exit-code.ts";
import { actAsPlanned } from "../planned.ts";
import { reasonOf } from "../reason.ts";
import { Refused } from "../refused.ts";
import { type Results, rollOut, wavesOf } from "../roll-out.ts";
import { acting, type Commands, type Session } from "../session.ts";
import { type ActOptions, reasonFlag, yesFlag } from "../tenant-act.ts";
import { tenantReference } from "../tenant-reference.ts";
import { columns, shown } from "../text.ts";

interface Options extends ActOptions {
  readonly all?: boolean;
}

export const addMigrate = (commands: Commands): void => {
  commands.program
    .command("migrate")
    .argument("[name]", "the tenant's name, slug or id")
    .description("move a tenant's database, or everyone's, to the newest version of the template")
    .option(
      "--all",
      "every tenant that is behind: one first, then a tenth, then the rest; stops when one fails",
    )
    .option(...reasonFlag)
    .option(...yesFlag)
    .addHelpText(
      "after",
      '\nExamples:\n  $ tenantctl migrate acme --reason "they want tags"\n  $ tenantctl migrate --all --reason "version 0002"      again after a failure: goes on with those that are behind',
    )
    .action(
      acting<Options, [string | undefined]>(commands, async (session, name) => {
        const { all = false } = session.options;
        if (all === (name !== undefined))
          throw new Refused("usage", "name a tenant, or say --all", "tenantctl migrate --help");
        const api = session.api();
        if (name === undefined) return migrateAll(session, api);
        return actAsPlanned(session, api, await api.tenant(tenantReference(name)), "migrate");
      }),
    );
};

const migrateAll = async (session: Session<Options>, api: ApiClient): Promise<ExitCode> => {
  const tenants = await everyone(api);
  const newest = await newestVersion(api, tenants);
  const behind = tenants.filter((tenant) => versionOf(tenant) < newest);
  if (behind.length === 0) {
    session.out.result(
      { newest, results: [], notBegun: [] },
      () => `No tenant is behind: ${tenants.length} of version ${newest}.`,
    );
    return exitCodes.ok;
  }
  await confirmed(session, planOf(tenants, behind, newest), `Migrate ${behind.length} tenants?`);
  const reason = await reasonOf(session, "migrate");
  const results = await rollOut(session, api, behind, "migrate", reason);
  session.out.result({ newest, ...results }, () => textOf(results));
  const failed = results.results.some(({ outcome }) => outcome !== "done");
  return failed || results.notBegun.length > 0 ? exitCodes.failed : exitCodes.ok;
};

const everyone = async (api: ApiClient): Promise<readonly Tenant[]> => {
  const found: Tenant[] = [];
  let cursor: string | null = "";
  while (cursor !== null) {
    const page: Awaited<ReturnType<ApiClient["tenants"]>> = await api.tenants({
      states: ["ready", "suspended"],
      limit: 200,
      cursor,
    });
    found.push(...page.items);
    cursor = page.next;
  }
  return found;
};

const versionOf = ({ resources }: Tenant): string => resources["database.templateVersion"] ?? "";

/** The database worker alone knows it: it says so whenever it looks at a tenant. */
const newestVersion = async (api: ApiClient, tenants: readonly Tenant[]): Promise<string> => {
  const one = tenants.find(({ state }) => state === "ready");
  if (one === undefined)
    throw new Refused("no-tenant", "no tenant is ready, so none is moved first", "tenantctl list");
  const { parts } = await api.health(one.slug);
  const newest = parts.find(({ part }) => part === "database")?.facts["postgres.newestTemplate"];
  if (newest !== undefined) return newest;
  throw new Refused(
    "version-unknown",
    `the database worker did not tell its template's version: ${one.slug} was looked at in vain`,
    `see \`tenantctl health ${one.slug}\` and \`tenantctl doctor\``,
  );
};

const planOf = (tenants: readonly Tenant[], behind: readonly Tenant[], newest: string): string[] => {
  const counts = new Map<string, number>();
  for (const tenant of tenants) counts.set(versionOf(tenant), (counts.get(versionOf(tenant)) ?? 0) + 1);
  const sizes = wavesOf(behind).map((wave) => wave.length);
  return [
    `Migrate ${behind.length} of ${tenants.length} tenants to template version ${newest}:`,
    columns(
      [...counts]
        .sort(([a], [b]) => a.localeCompare(b))
        .map(([version, count]) => [`version ${version === "" ? "unknown" : version}`, String(count)]),
      "  ",
    ),
    `  ${sizes.join(", then ")} at a time, each database in its own transactions; it stops when one fails`,
  ];
};

const textOf = ({ results, notBegun }: Results): string =>
  [
    "",
    columns(results.map(({ slug, outcome, message }) => [slug, outcome, shown(message ?? "")])),
    ...(notBegun.length === 0
      ? []
      : [
          `It stopped by itself: ${notBegun.length} were not begun. When the reason is gone, the same command goes on with them.`,
        ]),
  ].join("\n");
