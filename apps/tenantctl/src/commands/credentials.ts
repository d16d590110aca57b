import { closeSync, openSync, rmSync, writeSync } from "node:fs";
import type { Credentials } from "@deeplens/client";
import { confirm } from "@inquirer/prompts";
import { exitCodes } from "../exit-code.ts";
import { Refused } from "../refused.ts";
import { acting, type Commands, type Session } from "../session.ts";
import { tenantReference } from "../tenant-reference.ts";
import { columns, shown } from "../text.ts";

interface Options {
  readonly yes?: boolean;
  readonly out?: string;
  readonly reason: string;
}

export const addCredentials = (commands: Commands): void => {
  commands.program
    .command("credentials")
    .argument("<name>", "the tenant's name, slug or id")
    .description("show a ready tenant's passwords and keys; that you did is recorded")
    .option("--yes", "do not ask")
    .option("--out <file>", "write them to a new file that only you can read (mode 0600)")
    .option("--reason <text>", "why, for the record", "shown with tenantctl")
    .addHelpText(
      "after",
      "\nExamples:\n  $ tenantctl credentials acme\n  $ tenantctl credentials acme --yes --out acme.txt",
    )
    .action(
      acting<Options, [string]>(commands, async (session, name) => {
        const { options, out, world } = session;
        const api = session.api();
        const tenant = await api.tenant(tenantReference(name));
        await mayShow(session, tenant.slug);
        const reveal = () => api.revealCredentials(tenant.tenantId, options.reason);
        if (options.out === undefined) {
          const credentials = await reveal();
          out.result(credentials, () => textOf(credentials));
          return exitCodes.ok;
        }
        const file = options.out;
        await intoNewFile(file, async () => {
          const credentials = await reveal();
          return out.json ? JSON.stringify(credentials, null, 2) : textOf(credentials);
        });
        out.result(
          { slug: tenant.slug, file },
          () => `The credentials of ${tenant.slug} are in ${file} (mode 0600).`,
        );
        if (world.interactive) out.say("Hand them over, then delete the file.");
        return exitCodes.ok;
      }),
    );
};

const mayShow = async ({ options, world, out }: Session<Options>, slug: string): Promise<void> => {
  if (options.yes === true) return;
  if (!world.interactive || out.json)
    throw new Refused(
      "not-confirmed",
      `showing the credentials of ${slug} is recorded, and nobody can be asked here`,
      "say that you mean it with --yes",
    );
  const where = options.out === undefined ? "on this screen" : `in the file ${options.out}`;
  if (
    !(await confirm({
      message: `Show every password and key of ${slug} ${where}? It is recorded.`,
      default: false,
    }))
  )
    throw new Refused(
      "not-confirmed",
      "nothing was shown, and nothing recorded",
      "run it again when you need them",
    );
};

// The file is made before the secrets are asked for: where it can't be, nothing is shown and nothing recorded.
const intoNewFile = async (file: string, content: () => Promise<string>): Promise<void> => {
  let handle: number;
  try {
    handle = openSync(file, "wx", 0o600);
  } catch (error) {
    throw new Refused(
      "file-not-made",
      `${file} can't be made: ${(error as Error).message}`,
      "name another file with --out; one that is there is never written over",
    );
  }
  try {
    writeSync(handle, `${await content()}\n`);
  } catch (error) {
    rmSync(file, { force: true });
    throw error;
  } finally {
    closeSync(handle);
  }
};

const textOf = ({ slug, tenantId, resources, secrets }: Credentials): string => {
  const entries = [
    ...Object.entries(resources),
    ...Object.entries(secrets).map(([purpose, value]) => [`${purpose} (secret)`, value] as const),
  ].sort(([a], [b]) => a.localeCompare(b));
  return `Tenant ${slug} (${tenantId})\n${columns(
    entries.map(([key, value]) => [key, shown(value)]),
    "  ",
  )}`;
};
