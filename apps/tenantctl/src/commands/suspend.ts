import { actAsPlanned } from "../planned.ts";
import { acting, type Commands } from "../session.ts";
import { type ActOptions, reasonFlag, yesFlag } from "../tenant-act.ts";
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
        return actAsPlanned(session, api, await api.tenant(tenantReference(name)), "suspend");
      }),
    );
};
