import { stepNames } from "@deeplens/contracts";
import { input } from "@inquirer/prompts";
import { exitCodes } from "../exit-code.ts";
import { oneOf } from "../flags.ts";
import { followToEnd, tellEnd } from "../follow.ts";
import { Refused } from "../refused.ts";
import { sagaIdOf } from "../saga-reference.ts";
import { acting, type Commands, type Session } from "../session.ts";

type Act = "retry" | "resume" | "abort";

interface Options {
  readonly reason?: string;
  readonly step?: string;
  readonly watch?: boolean;
}

export const addRetry = (commands: Commands): void =>
  addAct(commands, "retry", "run the failed step of a saga again (every failed one, or --step)");
export const addResume = (commands: Commands): void =>
  addAct(commands, "resume", "let a saga that is stuck go on from where it stopped");
export const addAbort = (commands: Commands): void =>
  addAct(commands, "abort", "undo everything that a running saga has done");

const addAct = (commands: Commands, act: Act, description: string): void => {
  const command = commands.program
    .command(act)
    .argument("<saga>", "a saga's id, or a tenant's name for its latest saga")
    .description(description)
    .option("--reason <text>", "why; it is recorded with your name")
    .option("--watch", "follow the saga to its end")
    .addHelpText("after", `\nExamples:\n  $ tenantctl ${act} acme --reason "the disk is free again" --watch`);
  if (act === "retry") command.option("--step <step>", "this step and no other", oneOf(stepNames));
  command.action(
    acting<Options, [string]>(commands, async (session, reference) => {
      const api = session.api();
      const sagaId = await sagaIdOf(api, reference);
      const reason = await reasonOf(session, act);
      const { step } = session.options;
      const answer = await api.act(sagaId, act, step === undefined ? { reason } : { reason, step });
      if (session.options.watch === true && answer.status !== "waiting")
        return tellEnd(session, api, await followToEnd(session, api, sagaId, reference));
      session.out.result(answer, () =>
        answer.status === "waiting"
          ? `The ${act} is in the inbox (${answer.inboxId}) and is applied as soon as an orchestrator takes it.`
          : `Done: the saga ${sagaId} is ${answer.status}. Follow it: tenantctl watch ${sagaId}`,
      );
      return exitCodes.ok;
    }),
  );
};

const reasonOf = async ({ options, world, out }: Session<Options>, act: Act): Promise<string> => {
  if (options.reason !== undefined && options.reason.trim().length >= 3) return options.reason.trim();
  if (!world.interactive || out.json)
    throw new Refused(
      "reason-missing",
      `${act} needs a reason of 3 characters or more`,
      'give it with --reason "..."',
    );
  return input({
    message: "Why?",
    validate: (text) => text.trim().length >= 3 || "say it in 3 characters or more; it is recorded",
  });
};
