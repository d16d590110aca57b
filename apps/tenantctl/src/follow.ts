import type { ApiClient, Saga } from "@deeplens/client";
import { actCodeOf, actEndText } from "./act-end.ts";
import type { ExitCode } from "./exit-code.ts";
import { exitCodes } from "./exit-code.ts";
import { showProgress } from "./progress.ts";
import { Interrupted } from "./refused.ts";
import { receiptOf, whatAnOperatorCanDo, whyOf } from "./saga-text.ts";
import type { Session } from "./session.ts";
import { resourcesOf } from "./tenant-text.ts";
import { duration } from "./text.ts";

/**
 * Shows a saga's progress until its end, and gives the saga as it is then.
 *
 * @throws Interrupted where Ctrl+C ended the following; the saga goes on
 */
export const followToEnd = async (
  { out, world }: Pick<Session<unknown>, "out" | "world">,
  api: ApiClient,
  sagaId: string,
  slug: string,
): Promise<Saga> => {
  const progress = showProgress(out.progress);
  try {
    for await (const event of api.follow(sagaId, { signal: world.interrupted }))
      if (event.type === "saga") progress.update(event.saga);
  } finally {
    progress.end();
  }
  if (world.interrupted.aborted)
    throw new Interrupted(
      `the saga of ${slug} goes on without this terminal`,
      `follow it again with \`tenantctl watch ${slug}\`, or undo it with \`tenantctl abort ${slug}\` (a removal: \`tenantctl restore ${slug}\`)`,
    );
  return api.saga(sagaId);
};

/** Says how a saga ended: what the tenant has, or what was rolled back and why; of an act, what became of it. */
export const tellEnd = async (
  { out }: Pick<Session<unknown>, "out">,
  api: ApiClient,
  saga: Saga,
): Promise<ExitCode> => {
  const tenant = await api.tenant(saga.tenantId);
  if (saga.kind !== "provision") {
    out.result({ ...tenant, saga }, () => actEndText(saga, tenant));
    return actCodeOf(saga);
  }
  out.result({ ...tenant, saga }, () =>
    saga.status === "ready" ? readyText(saga, tenant.resources) : failedText(saga),
  );
  return saga.status === "ready" ? exitCodes.ok : exitCodes.failed;
};

const readyText = (saga: Saga, resources: Readonly<Record<string, string>>): string =>
  [
    "",
    `The tenant ${saga.slug} is ready${tookOf(saga)}. It has`,
    resourcesOf(resources),
    `Its passwords and keys: tenantctl credentials ${saga.slug}`,
  ].join("\n");

const failedText = (saga: Saga): string => {
  const why = whyOf(saga) ?? "no reason was recorded";
  if (saga.status === "stuck")
    return ["", `The tenant ${saga.slug} is stuck: ${why}`, ...whatAnOperatorCanDo(saga)].join("\n");
  const receipt = receiptOf(saga);
  return [
    "",
    `The tenant ${saga.slug} was not made: ${why}`,
    receipt.length === 0
      ? "Nothing had been made, so nothing was left to roll back."
      : "What was rolled back:",
    ...receipt,
    ...(saga.status === "rolled-back"
      ? ["The name is free again after a last look for late effects, in a few minutes."]
      : []),
    `The whole story: tenantctl saga ${saga.sagaId}`,
  ].join("\n");
};

const tookOf = (saga: Saga): string =>
  saga.finishedAt === null
    ? ""
    : ` after ${duration(Date.parse(saga.finishedAt) - Date.parse(saga.createdAt))}`;
