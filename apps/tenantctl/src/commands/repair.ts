import type { Tenant } from "@deeplens/client/api";
import { confirmed } from "../confirmed.ts";
import { exitCodes } from "../exit-code.ts";
import { acting, type Commands } from "../session.ts";
import { type ActOptions, actOnTenant, reasonFlag, yesFlag } from "../tenant-act.ts";
import { tenantReference } from "../tenant-reference.ts";

export const addRepair = (commands: Commands): void => {
  commands.program
    .command("repair")
    .argument("<name>", "the tenant's name, slug or id")
    .description("make again what a tenant has lost with one of the services, empty")
    .option(...reasonFlag)
    .option(...yesFlag)
    .addHelpText(
      "after",
      '\nExamples:\n  $ tenantctl repair acme --reason "Postgres was lost"\n  $ tenantctl restore-backup acme <backup>     then brings its data back',
    )
    .action(
      acting<ActOptions, [string]>(commands, async (session, name) => {
        const api = session.api();
        const tenant = await api.tenant(tenantReference(name));
        await confirmed(session, planOf(tenant), `Repair ${tenant.slug}?`);
        const code = await actOnTenant(session, api, tenant, "repair");
        if (code === exitCodes.ok)
          session.out.say(
            `What was made again is empty. Its data: tenantctl backups ${tenant.slug}, then tenantctl restore-backup ${tenant.slug} <backup>`,
          );
        return code;
      }),
    );
};

const planOf = ({ slug, tenantId }: Tenant): string[] => [
  `Repair ${slug} (${tenantId}):`,
  "  what is there of its database, Redis user, topic, bucket, vectors and backups stays as it is",
  "  what is gone is made again, empty, under the same names and with the same credentials, and all of it is proven",
  "  Identity is not asked: its record is its own to bring back",
];
