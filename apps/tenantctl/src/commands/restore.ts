import { actAsPlanned } from "../planned.ts";
import { acting, type Commands } from "../session.ts";
import { type ActOptions, reasonFlag, yesFlag } from "../tenant-act.ts";
import { tenantReference } from "../tenant-reference.ts";

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
        return actAsPlanned(session, api, await api.tenant(tenantReference(name)), "restore");
      }),
    );
};
