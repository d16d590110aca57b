import type { AcceptResult, InboxBody, InboxResult } from "./inbox.ts";

/** A line of the audit: who did what, to what, why, from where, and what came of it. */
export interface AuditLine {
  readonly actor: string;
  readonly action: string;
  readonly subject: string;
  readonly reason: string | null;
  readonly origin: string | null;
  readonly outcome: string;
}

/**
 * The line of what somebody asked for by the inbox, written in the transaction that did it; undefined for what no person
 * asked for. (A record that came by Kafka is remembered with its source.)
 */
export const auditLineOf = (
  body: InboxBody,
  shard: number,
  result: InboxResult | AcceptResult,
): AuditLine | undefined => {
  switch (body.kind) {
    case "act":
      return {
        ...askedBy(body),
        action: `saga.${body.act}`,
        subject: body.sagaId,
        outcome: outcomeOf(result),
      };
    case "tenant":
      return {
        ...askedBy(body),
        action: `tenant.${body.act}`,
        subject: body.tenantId,
        outcome: outcomeOf(result),
      };
    case "accept":
      return {
        ...askedBy(body),
        action: "shard.accept",
        subject: `${body.stream}/${shard}`,
        outcome:
          "next" in result ? `read from the log's ${body.from}, offset ${result.next}` : outcomeOf(result),
      };
    case "request":
      return body.by === undefined
        ? undefined
        : {
            ...askedBy({ ...body, by: body.by }),
            action: "tenant.request",
            subject:
              "tenantId" in result && result.tenantId !== undefined ? result.tenantId : body.request.name,
            outcome: outcomeOf(result),
          };
    case "removal":
    case "health":
      return undefined;
  }
};

const askedBy = (body: { by: string; reason?: string; origin?: string }) => ({
  actor: body.by,
  reason: body.reason ?? null,
  origin: body.origin ?? null,
});

const outcomeOf = (result: InboxResult | AcceptResult): string => {
  if (!result.ok) return `refused: ${result.code}`;
  return "status" in result ? result.status : "done";
};
