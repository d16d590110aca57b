import type { ApiClient, Tenant, TenantActAnswer, TenantActName, TenantActTold } from "@deeplens/client/api";
import type { ExitCode } from "./exit-code.ts";
import { exitCodes } from "./exit-code.ts";
import { followToEnd, tellEnd } from "./follow.ts";
import { reasonOf } from "./reason.ts";
import type { Session } from "./session.ts";

export interface ActOptions {
  readonly yes?: boolean;
  readonly reason?: string;
}

export const reasonFlag = ["--reason <text>", "why; it is recorded with your name"] as const;
export const yesFlag = ["--yes", "do not ask"] as const;

/** Asks for the act, follows its saga, and tells how it ended. Where the tenant is so already, says that. */
export const actOnTenant = async (
  session: Session<ActOptions>,
  api: ApiClient,
  tenant: Tenant,
  act: TenantActName,
  more: Omit<TenantActTold, "tenantId" | "reason"> = {},
): Promise<ExitCode> => {
  const reason = await reasonOf(session, act);
  const answer = await api.actOnTenant(tenant.slug, act, {
    tenantId: tenant.tenantId,
    reason,
    ...more,
  });
  return tellAnswer(session, api, answer, act);
};

const tellAnswer = async (
  session: Session<ActOptions>,
  api: ApiClient,
  answer: TenantActAnswer,
  act: TenantActName,
): Promise<ExitCode> => {
  const { slug, sagaId, repeated } = answer;
  if (sagaId === null) {
    session.out.result(
      answer,
      () =>
        `The ${act} of ${slug} is in the inbox (${answer.inboxId}) and begins as soon as an orchestrator takes it.`,
    );
    return exitCodes.ok;
  }
  if (repeated && settled.has(answer.status)) {
    session.out.result(
      { ...answer },
      () => `The tenant ${slug} is ${answer.status} already; nothing was done.`,
    );
    return exitCodes.ok;
  }
  if (repeated) session.out.say(`That runs already: ${slug} (saga ${sagaId})`);
  return tellEnd(session, api, await followToEnd(session, api, sagaId, slug));
};

/** States of a tenant in which nothing goes on. */
const settled: ReadonlySet<string> = new Set(["ready", "suspended", "removed"]);
