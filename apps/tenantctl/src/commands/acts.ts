import type { Tenant } from "@deeplens/client/api";
import { stepNames } from "@deeplens/contracts";
import { exitCodes } from "../exit-code.ts";
import { anyOf } from "../flags.ts";
import { followToEnd, tellEnd } from "../follow.ts";
import { actAsPlanned } from "../planned.ts";
import { reasonOf } from "../reason.ts";
import { sagaIdOf } from "../saga-reference.ts";
import { acting, type Commands } from "../session.ts";
import { yesFlag } from "../tenant-act.ts";
import { isId, tenantReference } from "../tenant-reference.ts";

type Act = "retry" | "resume" | "abort";

interface Options {
  readonly reason?: string;
  readonly step?: string;
  readonly watch?: boolean;
  readonly yes?: boolean;
}

export const addRetry = (commands: Commands): void =>
  addAct(commands, "retry", "run the failed step of a saga again (every failed one, or --step)");
export const addResume = (commands: Commands): void =>
  addAct(
    commands,
    "resume",
    "open a suspended tenant again; or let a saga that is stuck go on from where it stopped",
  );
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
  if (act === "retry") command.option("--step <step>", "this step and no other", anyOf(stepNames));
  if (act === "resume") command.option(...yesFlag);
  command.action(
    acting<Options, [string]>(commands, async (session, reference) => {
      const api = session.api();
      if (act === "resume" && !isId(reference)) {
        const tenant = await api.tenant(tenantReference(reference));
        if (isOpenable(tenant)) return actAsPlanned(session, api, tenant, "resume");
      }
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

/** Nothing goes on with it that could be stuck: what is meant is the tenant. */
const isOpenable = ({ state, running }: Tenant): boolean =>
  running === null && (state === "suspended" || state === "ready");
