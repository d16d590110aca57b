import { type RotatedPart, rotatedParts } from "@deeplens/contracts";
import { someOf, timeSpan } from "../flags.ts";
import { actAsPlanned } from "../planned.ts";
import { Refused } from "../refused.ts";
import { acting, type Commands } from "../session.ts";
import { type ActOptions, reasonFlag, yesFlag } from "../tenant-act.ts";
import { tenantReference } from "../tenant-reference.ts";

interface Options extends ActOptions {
  readonly part?: readonly RotatedPart[];
  readonly overlap?: number;
  readonly end?: boolean;
}

export const addRotate = (commands: Commands): void => {
  commands.program
    .command("rotate")
    .argument("<name>", "the tenant's name, slug or id")
    .description("give a tenant new credentials; the old ones are good beside them for a while, and end then")
    .option("--part <parts>", "of what, with commas between (default: all of them)", someOf(rotatedParts))
    .option(
      "--overlap <time>",
      "how long the old ones stay good: 1d, 12h, 30m; moves the end of a rotation that runs",
      timeSpan,
    )
    .option("--end", "end the old credentials of the rotation that runs now")
    .option(...reasonFlag)
    .option(...yesFlag)
    .addHelpText(
      "after",
      '\nExamples:\n  $ tenantctl rotate acme --reason "someone left"\n  $ tenantctl rotate acme --part database,storage --overlap 12h --yes --reason "every quarter" --json\n  $ tenantctl rotate acme --end --reason "all of its services have the new ones"\nUntil the old ones end, `tenantctl abort acme` takes the new ones back.',
    )
    .action(
      acting<Options, [string]>(commands, async (session, name) => {
        const { part: parts, overlap: overlapMs, end } = session.options;
        if (end === true && (parts !== undefined || overlapMs !== undefined))
          throw new Refused("usage", "--end takes neither --part nor --overlap", "give it alone");
        const api = session.api();
        const tenant = await api.tenant(tenantReference(name));
        if (end === true) return actAsPlanned(session, api, tenant, "end-rotation");
        if (tenant.running?.kind === "rotate" && overlapMs !== undefined && parts === undefined)
          return actAsPlanned(session, api, tenant, "overlap", { overlapMs });
        return actAsPlanned(session, api, tenant, "rotate", {
          ...(parts === undefined ? {} : { parts }),
          ...(overlapMs === undefined ? {} : { overlapMs }),
        });
      }),
    );
};
