import type { Tenant } from "@deeplens/client/api";
import { confirmed } from "../confirmed.ts";
import { acting, type Commands } from "../session.ts";
import { type ActOptions, actOnTenant, reasonFlag, yesFlag } from "../tenant-act.ts";
import { tenantReference } from "../tenant-reference.ts";
import { moment } from "../text.ts";

export const addRestore = (commands: Commands): void => {
  commands.program
    .command("restore")
    .argument("<name>", "the tenant's name, slug or id")
    .description("take a removal back, inside its grace period: the whole tenant, as it was")
    .option(...reasonFlag)
    .option(...yesFlag)
    .addHelpText("after", '\nExamples:\n  $ tenantctl restore acme --reason "they stay after all"')
    .action(
      acting<ActOptions, [string]>(commands, async (session, name) => {
        const api = session.api();
        const tenant = await api.tenant(tenantReference(name));
        if (tenant.state !== "ready") await confirmed(session, planOf(tenant), `Restore ${tenant.slug}?`);
        return actOnTenant(session, api, tenant, "restore");
      }),
    );
};

const planOf = ({ slug, tenantId, removal }: Tenant): string[] => [
  `Restore ${slug} (${tenantId})${removal === null ? "" : `, which is kept until ${moment(removal.purgeAt)}`}:`,
  "  the same id, names, data and ports; every way in is opened, also where it was suspended before",
  "  its passwords and keys are made anew: who uses it must be given the new ones",
];
