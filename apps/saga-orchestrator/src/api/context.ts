import type { TenantId } from "@deeplens/contracts";
import type { DropOffs, KeysInUse, Rewrapped } from "@deeplens/secrets";
import type { Logger } from "@deeplens/telemetry";
import type { SagaKind } from "../saga/batch.ts";
import type { SagaSettings } from "../saga/settings.ts";
import type { Cursors } from "./cursor.ts";
import type { Fleet } from "./fleet.ts";
import type { InboxWaiter } from "./inbox-row.ts";
import type { Db } from "./tables.ts";

/** Reads every secret of a tenant, recording who asked and why in the same breath; @deeplens/secrets has one. */
export interface CredentialStore {
  revealed(asked: {
    readonly tenantId: TenantId;
    readonly by: string;
    readonly reason: string;
  }): Promise<readonly { readonly purpose: string; readonly value: string }[]>;
}

/** The master key's versions, and the way of secrets from an older one to the current one. */
export interface MasterKeys {
  inUse(): Promise<KeysInUse>;
  rewrap(atMost: number): Promise<Rewrapped>;
}

/** What routes work with. */
export interface ApiContext {
  readonly db: Db;
  /** Where the tables are: a plan reads what a batch would. */
  readonly schema: string;
  readonly log: Logger;
  readonly installation: string;
  readonly shards: number;
  /** How patient sagas are, and what they are built from: as the engine has them. */
  readonly settings: SagaSettings;
  readonly kind: SagaKind;
  readonly credentials: CredentialStore;
  readonly dropOffs: DropOffs;
  /** For how long a dropped-off secret waits for its tenant. */
  readonly dropOffMs: number;
  readonly keys: MasterKeys;
  /** What Kafka says of the workers and of dead letters. */
  readonly fleet: Fleet;
  readonly cursors: Cursors;
  /** How often each part of a tenant is looked at, in ms. */
  readonly healthEveryMs: number;
  readonly inbox: InboxWaiter;
  /** How long a call waits for the shard's owner before it answers 202. */
  readonly waitMs: number;
}
