import type { Tenant } from "@deeplens/client/api";
import { confirmed } from "../confirmed.ts";
import { acting, type Commands } from "../session.ts";
import { type ActOptions, actOnTenant, reasonFlag, yesFlag } from "../tenant-act.ts";
import { tenantReference } from "../tenant-reference.ts";

export const addSuspend = (commands: Commands): void => {
  commands.program
    .command("suspend")
    .argument("<name>", "the tenant's name, slug or id")
    .description("close every way into a tenant: nothing of it is lost, and backups go on")
    .option(...reasonFlag)
    .option(...yesFlag)
    .addHelpText("after", '\nExamples:\n  $ tenantctl suspend acme --reason "has not paid since May"')
    .action(
      acting<ActOptions, [string]>(commands, async (session, name) => {
        const api = session.api();
        const tenant = await api.tenant(tenantReference(name));
        if (tenant.state !== "suspended") await confirmed(session, planOf(tenant), `Suspend ${tenant.slug}?`);
        return actOnTenant(session, api, tenant, "suspend");
      }),
    );
};

const planOf = ({ slug, tenantId, storageType }: Tenant): string[] => [
  `Suspend ${slug} (${tenantId}):`,
  `  every way in is refused: database, Redis, Kafka${storageType === "none" ? "" : ", storage"} and vectors; open sessions end`,
  "  Identity has no call for it: the lifecycle event tells it",
  `  nothing is lost, backups go on, and it is opened again by: tenantctl resume ${slug}`,
];
