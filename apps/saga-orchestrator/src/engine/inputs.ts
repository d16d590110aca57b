import type { Reply, TenantProvisioningRequested, TenantRemovalRequested } from "@deeplens/contracts";
import type { KafkaMessage } from "@deeplens/messaging";
import type { InboxBody, InboxResult } from "../saga/inbox.ts";
import type { Stream } from "../store/shard-rows.ts";

/** A record of a shard's partition, decoded. */
export interface RecordInput {
  readonly from: "kafka";
  readonly shard: number;
  readonly stream: Stream;
  readonly offset: number;
  readonly content: RecordContent;
}

export type RecordContent =
  | {
      readonly kind: "request";
      readonly source: string;
      readonly request: TenantProvisioningRequested;
      readonly raw: KafkaMessage;
    }
  | {
      readonly kind: "removal";
      readonly source: string;
      readonly request: TenantRemovalRequested;
      readonly raw: KafkaMessage;
    }
  | { readonly kind: "reply"; readonly reply: Reply; readonly raw: KafkaMessage }
  /** Goes to the dead-letter topic as it was. A reply's headers still name its saga, which tries the step again. */
  | {
      readonly kind: "unreadable";
      readonly code: string;
      readonly message: string;
      readonly raw: KafkaMessage;
    };

export interface InboxInput {
  readonly from: "inbox";
  readonly id: number;
  readonly shard: number;
  readonly body: InboxBody;
  /** `accept` only: the offset from which the partition is read on; undefined where it is not stopped. */
  readonly next?: number | undefined;
  /** The answer where it was found that the row can't be applied. */
  readonly refusal?: Extract<InboxResult, { ok: false }>;
}

export interface TimerInput {
  readonly from: "timer";
  readonly shard: number;
  readonly sagaId: string;
}

/** An intent that is open though its tenant is gone: an effect of it may still be there. */
export interface SweepInput {
  readonly from: "sweep";
  readonly shard: number;
  readonly sagaId: string;
  readonly step: string;
}

export type Input = RecordInput | InboxInput | TimerInput | SweepInput;
