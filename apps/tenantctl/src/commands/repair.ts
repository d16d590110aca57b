import { exitCodes } from "../exit-code.ts";
import { actAsPlanned } from "../planned.ts";
import { acting, type Commands } from "../session.ts";
import { type ActOptions, reasonFlag, yesFlag } from "../tenant-act.ts";
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
        const code = await actAsPlanned(session, api, tenant, "repair");
        if (code === exitCodes.ok)
          session.out.say(
            `What was made again is empty. Its data: tenantctl backups ${tenant.slug}, then tenantctl restore-backup ${tenant.slug} <backup>`,
          );
        return code;
      }),
    );
};
