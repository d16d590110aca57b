import type {
  RotatedPart,
  TenantProvisioningRequested,
  TenantRemovalRequested,
  TierName,
} from "@deeplens/contracts";
import type { ActTold, IllParts } from "./saga.ts";

/** A Kafka record as JSON: key and value in base64, headers as the outbox keeps them. */
export interface KeptRecord {
  readonly partition: number;
  readonly offset: string;
  readonly key: string | null;
  readonly value: string | null;
  readonly headers: string;
}

/** Acts on a tenant's backups: they leave its state as it is. */
export type BackupAct = "backup" | "drill" | "backups" | "restore-backup" | "restore-back" | "restore-end";

/** Ends the old credentials of a rotation that runs, or moves the moment at which they end. */
export type RotationChange = "end-rotation" | "overlap";

/** What the API (or a record that came in on a foreign partition) puts into the inbox of the tenant's shard. */
export type InboxBody =
  | {
      readonly kind: "request";
      readonly source: string;
      readonly request: TenantProvisioningRequested;
      /** Where it came by Kafka: nobody waits for the row's result, so what can't be answered becomes a dead letter. */
      readonly record?: KeptRecord;
      /** Who asked for it by the API, and from where. */
      readonly by?: string;
      readonly origin?: string;
    }
  | {
      readonly kind: "act";
      readonly act: "retry" | "resume" | "abort";
      readonly sagaId: string;
      /** Where it differs from the saga's, the act is refused: a slug is no identity. */
      readonly tenantId: string;
      /** retry: only this step; every failed one where there is none. */
      readonly step?: string;
      /** The version of the saga that was looked at: where it has another by now, nothing is done. */
      readonly ifVersion?: number;
      readonly by: string;
      readonly reason: string;
      readonly origin?: string;
    }
  | {
      /** An act on a tenant that was made. */
      readonly kind: "tenant";
      readonly act:
        | "suspend"
        | "resume"
        | "remove"
        | "restore"
        | "purge"
        | "grace"
        | "release"
        | "tier"
        | "migrate"
        | "replace-credentials"
        | "repair"
        | "rotate"
        | RotationChange
        | BackupAct;
      readonly slug: string;
      /** Where another tenant has the slug, the act is refused. */
      readonly tenantId: string;
      /** The removal that runs, or has run, or the rotation that runs, as the caller saw it: what it changes is read with it. */
      readonly sagaId?: string;
      /** remove and grace: how long after its beginning the removal purges, in ms; 0: at once. */
      readonly graceMs?: number | undefined;
      readonly restore?: ActTold["restore"] | undefined;
      /** tier: the one to give. */
      readonly tier?: TierName | undefined;
      /** replace-credentials: where the new ones were dropped off. */
      readonly credentialRef?: string | undefined;
      /** rotate: of what. */
      readonly parts?: readonly RotatedPart[] | undefined;
      /** rotate and overlap: how long old and new credentials are good together, in ms. */
      readonly overlapMs?: number | undefined;
      /** The revision of the tenant that was looked at: where it has another by now, nothing is done. */
      readonly ifRevision?: number;
      readonly by: string;
      readonly reason: string;
      readonly origin?: string;
    }
  | {
      /** A removal that an upstream service asked for, on another shard's partition. */
      readonly kind: "removal";
      readonly source: string;
      readonly request: TenantRemovalRequested;
      readonly record: KeptRecord;
    }
  | {
      /** What was seen of a tenant's parts differs from what is known: which are ill now. */
      readonly kind: "health";
      readonly slug: string;
      readonly tenantId: string;
      readonly ill: IllParts;
    }
  | {
      /** Gives the position of a stopped partition of the row's shard up. */
      readonly kind: "accept";
      readonly stream: "requests" | "replies";
      /** From where it is read on: what the log holds is applied (again), or passed over. */
      readonly from: "beginning" | "end";
      readonly by: string;
      readonly reason: string;
      readonly origin?: string;
    };

/** What became of an `accept`: the offset from which the partition is read on. */
export type AcceptResult = { readonly ok: true; readonly next: number } | Extract<InboxResult, { ok: false }>;

/** What the shard's owner answered, in the transaction that applied the row. */
export type InboxResult =
  | {
      readonly ok: true;
      readonly sagaId: string;
      readonly tenantId: string;
      readonly status: string;
      readonly repeated: boolean;
    }
  | {
      readonly ok: false;
      readonly code: string;
      readonly message: string;
      readonly tenantId?: string;
      readonly state?: string;
    };
