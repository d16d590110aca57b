import { readFileSync } from "node:fs";
import { byosCredentialsOf } from "@deeplens/contracts";
import type { Command } from "commander";
import { exitCodes } from "../exit-code.ts";
import { actAsPlanned } from "../planned.ts";
import { Refused } from "../refused.ts";
import { acting, type Commands, type Session } from "../session.ts";
import { type ActOptions, reasonFlag, yesFlag } from "../tenant-act.ts";
import { tenantReference } from "../tenant-reference.ts";

/** `secret put`: credentials in, a reference out; `secret replace`: they take the place of a tenant's. From a file or standard input, for arguments are seen by everybody. */
export const addSecret = (commands: Commands): void => {
  const secret = commands.program.command("secret").description("credentials for tenants' own storage");
  secret
    .command("put")
    .argument("<file>", "a file with the credentials as their vendor gives them; - reads standard input")
    .description(
      "drop credentials off, encrypted at once; the reference that comes back goes into `create --secret`",
    )
    .addHelpText(
      "after",
      `
What the file holds, one of:
  S3       {"accessKeyId": "...", "secretAccessKey": "...", "sessionToken": "..."} (the last of temporary ones),
           or what \`aws iam create-access-key\` prints
  Azure    {"accountName": "...", "accountKey": "..."}, {"accountName": "...", "sasToken": "..."},
           or a connection string
  Google   the key file of a service account
Examples:
  $ tenantctl secret put acme-s3.json
  $ aws iam create-access-key --user-name deeplens | tenantctl secret put -`,
    )
    .action(
      acting<object, [string]>(commands, async (session, file) => {
        const credentials = credentialsIn(await textOf(session, file));
        const dropped = await session.api().dropOff(credentials);
        session.out.result(dropped, () =>
          [
            dropped.reference,
            `Credentials of ${dropped.provider}: for one tenant, until ${dropped.expiresAt} unless it uses them.`,
            `Use them with: tenantctl create <name> --storage byos --byos-provider ${dropped.provider} --secret ${dropped.reference} ...`,
            `or for a tenant that is there: tenantctl secret replace <name> ${dropped.reference}`,
          ].join("\n"),
        );
        return exitCodes.ok;
      }),
    );
  addReplace(secret, commands);
};

const addReplace = (secret: Command, commands: Commands): void => {
  secret
    .command("replace")
    .argument("<name>", "the tenant's name, slug or id")
    .argument("<reference>", "where the new ones were dropped off, as `secret put` says")
    .description("have a tenant's own storage opened by other credentials; those before are forgotten here")
    .option(...reasonFlag)
    .option(...yesFlag)
    .addHelpText(
      "after",
      '\nExamples:\n  $ tenantctl secret put acme-s3.json\n  $ tenantctl secret replace acme drop:<uuid> --reason "the key expires in June"',
    )
    .action(
      acting<ActOptions, [string, string]>(commands, async (session, name, credentialRef) => {
        const api = session.api();
        const tenant = await api.tenant(tenantReference(name));
        const code = await actAsPlanned(session, api, tenant, "replace-credentials", { credentialRef });
        if (code !== exitCodes.ok || tenant.state !== "ready") return code;
        // What was ill for the old credentials' sake is told to be well now, and not at the next round.
        const { status } = await api.health(tenant.tenantId);
        session.out.say(
          `Looked at with them: ${tenant.slug} is ${status} (tenantctl health ${tenant.slug}).`,
        );
        return code;
      }),
    );
};

const textOf = async ({ world }: Session<object>, file: string): Promise<string> => {
  if (file === "-") return world.input();
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    throw new Refused(
      "file-not-read",
      `the file can't be read (${(error as NodeJS.ErrnoException).code})`,
      "name a file that holds the credentials, or - for standard input; credentials themselves are no argument",
    );
  }
};

// What is in the text is never repeated. The API checks again; this tells a slip before anything leaves the machine.
const credentialsIn = (text: string): object => {
  const given =
    /^\s*\w+=/.test(text) && text.includes("AccountName=") ? { connectionString: text.trim() } : parsed(text);
  const checked = byosCredentialsOf(given);
  if (checked.ok) return given as object;
  throw new Refused(checked.rejection.code, checked.rejection.message, "see `tenantctl secret put --help`");
};

const parsed = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
};
