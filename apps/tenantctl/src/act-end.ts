import type { Saga, Tenant } from "@deeplens/client";
import { type ExitCode, exitCodes } from "./exit-code.ts";
import { receiptOf, whatAnOperatorCanDo, whyOf } from "./saga-text.ts";
import { moment } from "./text.ts";

/** How an act on a tenant ended, as an exit code: 1 where it was undone because of a failure, or is stuck. */
export const actCodeOf = (saga: Saga): ExitCode =>
  saga.status === "stuck" || (saga.status === "undone" && saga.error !== null)
    ? exitCodes.failed
    : exitCodes.ok;

/** The same in words. */
export const actEndText = (saga: Saga, tenant: Tenant): string =>
  ["", ...headOf(saga, tenant), ...detailsOf(saga)].join("\n");

const headOf = (saga: Saga, tenant: Tenant): string[] => {
  const { slug, kind } = saga;
  const why = whyOf(saga) ?? "no reason was recorded";
  switch (saga.status) {
    case "stuck":
      return [`The ${kind} of ${slug} is stuck: ${why}`, ...whatAnOperatorCanDo(saga)];
    case "waiting":
      if (kind === "rotate")
        return [
          `The new credentials of ${slug} are proven: tenantctl credentials ${slug}`,
          `The old ones are good until ${moment(tenant.rotation?.oldUntil ?? "")}; to end them now: tenantctl rotate ${slug} --end; to keep them: tenantctl abort ${slug}`,
        ];
      return [
        `The tenant ${slug} is suspended and backed up, and kept until ${moment(tenant.removal?.purgeAt ?? "")}.`,
        `Until then: tenantctl restore ${slug}; or at once: tenantctl remove ${slug} --purge`,
      ];
    case "undone":
      return saga.error === null
        ? [
            kind === "remove"
              ? `The tenant ${slug} is restored, with the same id, names, data and ports. Its passwords and keys are new: tenantctl credentials ${slug}`
              : `The ${kind} of ${slug} was undone: the tenant is ${tenant.state}.`,
          ]
        : [`The ${kind} of ${slug} failed and was undone, the tenant is ${tenant.state}: ${why}`];
    case "removed":
      return [
        `The tenant ${slug} is removed; a second look has found nothing of it.`,
        `Its name is held until ${moment(tenant.removal?.slugHeldUntil ?? "")}; to give it on now: tenantctl remove ${slug} --release`,
      ];
    case "closed":
      return [`The tenant ${slug} is removed, and its name is free.`];
    case "done":
      if (kind === "rotate")
        return [`The old credentials of ${slug} are ended; the new ones are what it has.`];
      return [`The ${kind} of ${slug} is done; the tenant is ${tenant.state}.`];
    default:
      return [`The ${kind} of ${slug} is done; the tenant is ${tenant.state}.`];
  }
};

const detailsOf = (saga: Saga): string[] => {
  const receipt = receiptOf(saga);
  return [
    ...(receipt.length === 0 ? [] : ["The receipt", ...receipt]),
    `The whole story: tenantctl saga ${saga.sagaId}`,
  ];
};
