import { fullNameOf, headerNames, type RecordName } from "@deeplens/contracts";
import type { IHeaders } from "kafkajs";

export interface MessageIdentity {
  /** Unique for its source: the outbox row's id, or a request's own. */
  readonly id: string;
  readonly record: RecordName;
  /** Who sends: `/deeplens/saga-orchestrator`, or an upstream service's own. */
  readonly source: string;
  readonly sagaId?: string;
  readonly step?: string;
  readonly fence?: number;
  readonly tenantId?: string;
}

/** The headers of a message: CloudEvents' (time and subject are in the record), then saga, step and fence. */
export const headersOf = (identity: MessageIdentity): Record<string, string> => ({
  [headerNames.id]: identity.id,
  [headerNames.type]: fullNameOf(identity.record),
  [headerNames.source]: identity.source,
  [headerNames.specVersion]: "1.0",
  ...(identity.sagaId === undefined ? {} : { [headerNames.saga]: identity.sagaId }),
  ...(identity.step === undefined ? {} : { [headerNames.step]: identity.step }),
  ...(identity.fence === undefined ? {} : { [headerNames.fence]: String(identity.fence) }),
  ...(identity.tenantId === undefined ? {} : { [headerNames.tenantId]: identity.tenantId }),
});

/** The text of a header, the first where there are several; undefined where there is none. */
export const headerText = (headers: IHeaders | undefined, name: string): string | undefined => {
  const value = headers?.[name];
  const first = Array.isArray(value) ? value[0] : value;
  return first === undefined ? undefined : first.toString();
};
