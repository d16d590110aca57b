import { fullNameOf, headerNames, type RecordName } from "@deeplens/contracts";
import type { IHeaders } from "kafkajs";

export interface MessageIdentity {
  /** Unique for its source: the outbox row's id, or a request's own. */
  readonly id: string;
  readonly record: RecordName;
  /** Who sends: `/deeplens/saga-orchestrator`, or an upstream service's own. */
  readonly source: string;
  readonly sagaId?: string | undefined;
  readonly step?: string | undefined;
  readonly fence?: number | undefined;
  readonly tenantId?: string | undefined;
}

/** The headers of a message: CloudEvents' (time and subject are in the record), then saga, step and fence. */
export const headersOf = (identity: MessageIdentity): Record<string, string> => ({
  ...envelopeHeadersOf(identity),
  ...contentHeadersOf(identity),
});

/** Which message it is, and whose. */
export const envelopeHeadersOf = ({
  id,
  source,
}: Pick<MessageIdentity, "id" | "source">): Record<string, string> => ({
  [headerNames.id]: id,
  [headerNames.source]: source,
  [headerNames.specVersion]: "1.0",
});

/** What it is about. */
export const contentHeadersOf = ({
  record,
  sagaId,
  step,
  fence,
  tenantId,
}: Omit<MessageIdentity, "id" | "source">): Record<string, string> => {
  const headers: Record<string, string> = { [headerNames.type]: fullNameOf(record) };
  if (sagaId !== undefined) headers[headerNames.saga] = sagaId;
  if (step !== undefined) headers[headerNames.step] = step;
  if (fence !== undefined) headers[headerNames.fence] = String(fence);
  if (tenantId !== undefined) headers[headerNames.tenantId] = tenantId;
  return headers;
};

/** The text of a header, the first where there are several; undefined where there is none. */
export const headerText = (headers: IHeaders | undefined, name: string): string | undefined => {
  const value = headers?.[name];
  const first = Array.isArray(value) ? value[0] : value;
  return first === undefined ? undefined : first.toString();
};
