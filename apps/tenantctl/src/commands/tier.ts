import { tierNames } from "@deeplens/contracts";
import { Argument } from "commander";
import { actAsPlanned } from "../planned.ts";
import { acting, type Commands } from "../session.ts";
import { type ActOptions, reasonFlag, yesFlag } from "../tenant-act.ts";
import { tenantReference } from "../tenant-reference.ts";

/** The tier to give. */
export const tierArgument = (): Argument => new Argument("<tier>", "the tier to give").choices(tierNames);

export const addTier = (commands: Commands): void => {
  commands.program
    .command("tier")
    .argument("<name>", "the tenant's name, slug or id")
    .addArgument(tierArgument())
    .description("give a tenant another tier: shows what would break, and the way back")
    .option(...reasonFlag)
    .option(...yesFlag)
    .addHelpText(
      "after",
      '\nExamples:\n  $ tenantctl tier acme professional --reason "they grow"\n  $ tenantctl plan tier acme free      what would break, and nothing else',
    )
    .action(
      acting<ActOptions, [string, string]>(commands, async (session, name, tier) => {
        const api = session.api();
        return actAsPlanned(session, api, await api.tenant(tenantReference(name)), "tier", { tier });
      }),
    );
};
