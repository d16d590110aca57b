import type { ApiClient, Plan, PlannedActName, Tenant, TenantActTold } from "@deeplens/client/api";
import { confirmed } from "./confirmed.ts";
import type { ExitCode } from "./exit-code.ts";
import { planLines, refusalLines } from "./plan-text.ts";
import { Refused } from "./refused.ts";
import type { Session } from "./session.ts";
import { type ActOptions, actOnTenant } from "./tenant-act.ts";

/**
 * An act as every command does it: its plan is asked for and shown, it is confirmed, done and followed. Where the plan says
 * that it is so already, nobody is asked.
 *
 * @param typed what has to be typed for it, where a plain yes is too easily said
 * @throws Refused where the plan says that it would be refused, or it is not meant
 */
export const actAsPlanned = async (
  session: Session<ActOptions>,
  api: ApiClient,
  tenant: Tenant,
  act: PlannedActName,
  told: Omit<TenantActTold, "tenantId" | "reason"> = {},
  typed?: string,
): Promise<ExitCode> => {
  const plan = await api.planAct(tenant.slug, act, told);
  refuseAs(plan);
  if (!plan.already)
    await confirmed(
      session,
      planLines(plan),
      `${act} ${tenant.slug}${typed === undefined ? "" : " for good"}?`,
      typed,
    );
  return actOnTenant(session, api, tenant, act, told);
};

const refuseAs = (plan: Plan): void => {
  const [first] = plan.refusals;
  if (first !== undefined)
    throw new Refused(
      first.code,
      `${plan.act} of ${plan.slug} would be refused: ${refusalLines(plan).join("; ")}`,
      `look at \`tenantctl status ${plan.slug}\``,
    );
};
