import type { ApiClient, Tenant } from "@deeplens/client/api";
import { confirmed } from "../confirmed.ts";
import type { ExitCode } from "../exit-code.ts";
import { timeSpan } from "../flags.ts";
import { Refused } from "../refused.ts";
import { acting, type Commands, type Session } from "../session.ts";
import { type ActOptions, actOnTenant, reasonFlag, yesFlag } from "../tenant-act.ts";
import { tenantReference } from "../tenant-reference.ts";
import { bytes, columns, duration, moment, shown } from "../text.ts";

interface Options extends ActOptions {
  readonly grace?: number;
  readonly purge?: boolean;
  readonly release?: boolean;
}

export const addRemove = (commands: Commands): void => {
  commands.program
    .command("remove")
    .argument("<name>", "the tenant's name, slug or id")
    .description("remove a tenant: suspended and backed up at once, purged after a grace period")
    .option(
      "--grace <time>",
      "how long it can be restored: 7d, 12h, 30m; moves the end of a removal that runs",
      timeSpan,
    )
    .option(
      "--purge",
      "no last backup and no grace period: everything goes now; ends the one of a removal that runs",
    )
    .option("--release", "give the name of a removed tenant on, after the second look")
    .option(...reasonFlag)
    .option(...yesFlag)
    .addHelpText(
      "after",
      '\nExamples:\n  $ tenantctl remove acme --reason "the contract ended"\n  $ tenantctl remove acme --grace 30d --yes --reason "the contract ended" --json\n  $ tenantctl remove acme --release --reason "the name is wanted"',
    )
    .action(
      acting<Options, [string]>(commands, async (session, name) => {
        const { grace, purge, release } = session.options;
        if ([grace !== undefined, purge === true, release === true].filter(Boolean).length > 1)
          throw new Refused("usage", "--grace, --purge and --release exclude each other", "give one of them");
        const api = session.api();
        const tenant = await api.tenant(tenantReference(name));
        if (release === true) return releaseName(session, api, tenant);
        if (tenant.running?.kind === "remove") return changeRemoval(session, api, tenant);
        if (tenant.state === "removed") return actOnTenant(session, api, tenant, "remove");
        const graceMs = purge === true ? 0 : grace;
        await confirmed(
          session,
          await planOf(api, tenant, graceMs),
          graceMs === 0 ? `Remove ${tenant.slug} for good?` : `Remove ${tenant.slug}?`,
          graceMs === 0 ? tenant.slug : undefined,
        );
        return actOnTenant(session, api, tenant, "remove", graceMs === undefined ? {} : { graceMs });
      }),
    );
};

const planOf = async (api: ApiClient, tenant: Tenant, graceMs: number | undefined): Promise<string[]> => {
  const { slug, tenantId } = tenant;
  const kept = graceMs === undefined ? "for the installation's grace period" : `for ${duration(graceMs)}`;
  return [
    `Remove ${slug} (${tenantId}), which has`,
    columns(thingsOf(tenant), "  "),
    ...(await useOf(api, tenant)),
    "Every way in is closed first.",
    ...(graceMs === 0
      ? ["Then everything goes at once, the backups too: nothing can be restored."]
      : [
          `Then a last backup is taken, and all of it is kept ${kept}${until(graceMs)}: until then \`tenantctl restore ${slug}\` brings it back.`,
          "After that everything goes, the backups too: nothing can be restored.",
        ]),
    "Identity keeps its record, because that API has no delete; the name stays reserved for a while.",
  ];
};

// What is a thing of its own; the rest of a tenant's resources are addresses and references.
const things = /\.(container|volume|database|topic|bucket|collection|\w*Role|\w*User|redisPrefix)$/;

const thingsOf = ({ resources }: Tenant): string[][] =>
  Object.entries(resources)
    .filter(([name]) => things.test(name))
    .sort(([a], [b]) => a.localeCompare(b))
    .map(([name, value]) => [name, shown(value)]);

/** How much data it has and who is connected, as the parts see it now; or why that can't be told. */
const useOf = async (api: ApiClient, { slug }: Tenant): Promise<string[]> => {
  let parts: Awaited<ReturnType<ApiClient["health"]>>["parts"];
  try {
    parts = (await api.health(slug)).parts;
  } catch (error) {
    return [`How much data it has, and who is connected, can't be told now: ${(error as Error).message}`];
  }
  const rows = parts.flatMap(({ facts }) =>
    Object.entries(facts).flatMap(([name, value]) => {
      const [thing = "", fact = ""] = name.split(".");
      if (fact === "usedBytes") return [[thing, bytes(Number(value))]];
      return fact === "connections" ? [[thing, `${shown(value)} connections open`]] : [];
    }),
  );
  return rows.length === 0 ? [] : ["Its data, and who is connected now", columns(rows, "  ")];
};

const until = (graceMs: number | undefined): string =>
  graceMs === undefined ? "" : ` (until ${moment(new Date(Date.now() + graceMs).toISOString())})`;

const changeRemoval = async (
  session: Session<Options>,
  api: ApiClient,
  tenant: Tenant,
): Promise<ExitCode> => {
  const { slug, removal } = tenant;
  const { grace, purge } = session.options;
  if (purge === true) {
    await confirmed(
      session,
      [
        `The removal of ${slug} runs; its parts are kept until ${moment(removal?.purgeAt ?? "")}. They go now.`,
      ],
      `Remove ${slug} for good?`,
      slug,
    );
    return actOnTenant(session, api, tenant, "purge");
  }
  if (grace === undefined) return actOnTenant(session, api, tenant, "remove");
  const plan = `The removal of ${slug} runs; it purges ${duration(grace)} after its beginning, and not at ${moment(removal?.purgeAt ?? "")}.`;
  await confirmed(session, [plan], "Move it?");
  return actOnTenant(session, api, tenant, "grace", { graceMs: grace });
};

const releaseName = async (session: Session<Options>, api: ApiClient, tenant: Tenant): Promise<ExitCode> => {
  const held = tenant.removal?.slugHeldUntil;
  await confirmed(
    session,
    [
      `The name ${tenant.slug} is held${held == null ? "" : ` until ${moment(held)}`}, because what knew its last tenant may take the next one for it.`,
      "It is given on as soon as the second look has found nothing of that tenant.",
    ],
    `Release ${tenant.slug}?`,
  );
  return actOnTenant(session, api, tenant, "release");
};
