import { setTimeout as delay } from "node:timers/promises";
import type { ApiClient, Keys } from "@deeplens/client";
import { confirm } from "@inquirer/prompts";
import { exitCodes } from "../exit-code.ts";
import { addMasterKeyLine, masterKeyFileOf } from "../master-key-file.ts";
import { Interrupted, NotAnswered, Refused } from "../refused.ts";
import { acting, type Commands, type Session } from "../session.ts";
import { columns } from "../text.ts";

interface Options {
  readonly yes?: boolean;
  readonly resume?: boolean;
  readonly newKeyOnly?: boolean;
  readonly masterKeyFile?: string;
  readonly reason: string;
}

/** `keys`, and `keys rotate-master`: a new master key, and every secret encrypted anew under it. */
export const addKeys = (commands: Commands): void => {
  const keys = commands.program
    .command("keys")
    .description("the versions of the master key, and how many secrets are under each")
    .action(
      acting<object, []>(commands, async ({ api, out }) => {
        const inUse = await api().keys();
        out.result(inUse, () => tableOf(inUse));
        return exitCodes.ok;
      }),
    );
  keys
    .command("rotate-master")
    .description("make a new master key, and encrypt every secret anew under it")
    .option("--resume", "go on with a rotation that was stopped: no new key is made")
    .option("--new-key-only", "make the new key and stop: for a fleet that can't see the file; then --resume")
    .option("--master-key-file <file>", "the file with the master key, in place of the installation's")
    .option("--reason <text>", "why, for the record", "rotated with tenantctl")
    .option("--yes", "do not ask")
    .addHelpText(
      "after",
      "\nThe new key is a line that is added to the file; the lines before it stay, for old secrets and old backups." +
        "\nIt can be stopped at any point (Ctrl+C): whatever is not yet moved still opens." +
        "\nExamples:\n  $ tenantctl keys rotate-master\n  $ tenantctl keys rotate-master --resume --yes",
    )
    .action(
      acting<Options, []>(commands, async (session) => {
        const api = session.api();
        const before = await api.keys();
        if (session.options.resume !== true) await begin(session, api, before);
        if (session.options.newKeyOnly === true) return exitCodes.ok;
        const moved = await rewrapAll(session, api);
        const after = await api.keys();
        session.out.result({ moved, ...after }, () =>
          [`Done: ${moved} secrets were encrypted anew under ${after.current}.`, tableOf(after), advice].join(
            "\n",
          ),
        );
        return exitCodes.ok;
      }),
    );
};

const advice =
  "Keep the old lines as long as backups made under them are kept; put the file where its copy is kept.";

const tableOf = ({ current, versions }: Keys): string =>
  columns([
    ["VERSION", "SECRETS", ""],
    ...versions.map(({ version, known, secrets }) => [
      version,
      String(secrets),
      known ? (version === current ? "current" : "") : "its line is missing: these do not open",
    ]),
  ]);

const begin = async (session: Session<Options>, api: ApiClient, before: Keys): Promise<void> => {
  const { installation, options, out } = session;
  const unfinished = before.versions.find(
    ({ version, secrets }) => version !== before.current && secrets > 0,
  );
  if (unfinished !== undefined)
    throw new Refused(
      "rotation-unfinished",
      `${unfinished.secrets} secrets are still under ${unfinished.version}: a rotation to ${before.current} is not finished`,
      "finish it first: tenantctl keys rotate-master --resume",
    );
  const file = options.masterKeyFile ?? masterKeyFileOf(installation().stackFile);
  const count = before.versions.reduce((sum, { secrets }) => sum + secrets, 0);
  await mayRotate(session, `add a new master key to ${file} and encrypt ${count} secrets anew under it`);
  const version = await addMasterKeyLine(file);
  out.say(`The key ${version} was added to ${file}.`);
  if (options.newKeyOnly === true) {
    out.result(
      { version, file },
      () => "Give the file to every process of the fleet; then: keys rotate-master --resume",
    );
    return;
  }
  const { current } = await api.keys();
  if (current !== version)
    throw new NotAnswered(
      `the orchestrator does not see the new key ${version} yet (it has ${current}); no secret was touched`,
      "restart the fleet with that file, then run `tenantctl keys rotate-master --resume`",
    );
};

const mayRotate = async ({ options, world, out }: Session<Options>, what: string): Promise<void> => {
  if (options.yes === true) return;
  if (!world.interactive || out.json)
    throw new Refused(
      "not-confirmed",
      `this would ${what}, and nobody can be asked here`,
      "say that you mean it with --yes",
    );
  if (!(await confirm({ message: `This will ${what}. Go on?`, default: false })))
    throw new Refused("not-confirmed", "nothing was changed", "run it again when you mean it");
};

const patience = 20;

const rewrapAll = async ({ options, out, world }: Session<Options>, api: ApiClient): Promise<number> => {
  let moved = 0;
  for (let idle = 0; ; ) {
    const step = await api.rewrapSecrets(options.reason);
    moved += step.moved;
    if (step.moved > 0)
      out.progress.write(`${moved} of ${moved + step.left} secrets moved to ${step.current}\n`);
    if (step.left === 0) return moved;
    if (world.interrupted.aborted)
      throw new Interrupted(
        `the rotation was stopped: ${step.left} secrets are still under an older key, and open as before`,
        "go on with it: tenantctl keys rotate-master --resume",
      );
    // What is held by somebody else just now is passed over, and tried again.
    idle = step.moved > 0 ? 0 : idle + 1;
    if (idle >= patience)
      throw new NotAnswered(
        `${step.left} secrets are held by others and could not be moved`,
        "run `tenantctl keys rotate-master --resume` in a while",
      );
    if (step.moved === 0) await delay(250);
  }
};
