import { exitCodes } from "../exit-code.ts";
import type { Installation } from "../installation.ts";
import { Refused } from "../refused.ts";
import { acting, type Commands } from "../session.ts";
import { columns } from "../text.ts";

const valuesOf = (installation: Installation): Record<string, string> => ({
  installation: installation.name,
  api: installation.api,
  "token-file": installation.tokenFile,
  "stack-file": installation.stackFile,
});

export const addConfig = (commands: Commands): void => {
  const config = commands.program
    .command("config")
    .description("show which installation is used, and where its API is")
    .addHelpText(
      "after",
      '\nExamples:\n  $ tenantctl config\n  $ curl -H "Authorization: Bearer $(cat $(tenantctl config get token-file))" $(tenantctl config get api)/v1/tenants',
    )
    .action(
      acting<unknown, []>(commands, async ({ installation, out }) => {
        const values = valuesOf(installation());
        out.result(values, () => columns(Object.entries(values)));
        return exitCodes.ok;
      }),
    );
  config
    .command("get")
    .argument("<key>", "installation, api, token-file or stack-file")
    .description("print one value")
    .action(
      acting<unknown, [string]>(commands, async ({ installation, out }, key) => {
        const values = valuesOf(installation());
        const value = values[key];
        if (value === undefined)
          throw new Refused(
            "key-unknown",
            `there is no ${key}`,
            `ask for one of ${Object.keys(values).join(", ")}`,
          );
        out.result({ [key]: value }, () => value);
        return exitCodes.ok;
      }),
    );
};
