import type { ApiClient, Tenant } from "@deeplens/client/api";
import type { ExitCode } from "../exit-code.ts";
import { timeSpan } from "../flags.ts";
import { actAsPlanned } from "../planned.ts";
import { Refused } from "../refused.ts";
import { acting, type Commands, type Session } from "../session.ts";
import { type ActOptions, actOnTenant, reasonFlag, yesFlag } from "../tenant-act.ts";
import { tenantReference } from "../tenant-reference.ts";

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
        if (release === true) return actAsPlanned(session, api, tenant, "release");
        if (tenant.running?.kind === "remove") return changeRemoval(session, api, tenant);
        if (tenant.state === "removed") return actOnTenant(session, api, tenant, "remove");
        const graceMs = purge === true ? 0 : grace;
        return actAsPlanned(
          session,
          api,
          tenant,
          "remove",
          graceMs === undefined ? {} : { graceMs },
          graceMs === 0 ? tenant.slug : undefined,
        );
      }),
    );
};

const changeRemoval = async (
  session: Session<Options>,
  api: ApiClient,
  tenant: Tenant,
): Promise<ExitCode> => {
  const { grace, purge } = session.options;
  if (purge === true) return actAsPlanned(session, api, tenant, "purge", {}, tenant.slug);
  if (grace === undefined) return actOnTenant(session, api, tenant, "remove");
  return actAsPlanned(session, api, tenant, "grace", { graceMs: grace });
};
