import { type LifecycleEvent, lifecycleTopic, stateTopic, type TierName, tiers } from "@deeplens/contracts";
import type { Batch } from "./batch.ts";
import { after } from "./hybrid-clock.ts";
import type { IllParts, Saga, Tenant, TenantActs, TenantState } from "./saga.ts";

/** What the tier allows, as events tell it. */
export const limitsOf = (tier: string) => {
  const { storageBytes, users, apiCallsPerDay } = tiers[tier as TierName];
  return { storageBytes, users, apiCallsPerDay };
};

/** Moves the tenant to a state: a new revision, and the record of its latest state for late readers. */
export const moveTenant = (batch: Batch, tenant: Tenant, state: TenantState): void => {
  tenant.state = state;
  tenant.revision = after(tenant.revision, batch.now);
  batch.changedTenants.add(tenant);
  publishState(batch, tenant);
};

/** The tenant's latest state, as it is. */
export const publishState = (batch: Batch, tenant: Tenant): void => {
  batch.outbox.push({
    shard: tenant.shard,
    topic: stateTopic,
    key: tenant.slug,
    tenantId: tenant.tenantId,
    message: {
      record: "TenantState",
      value: {
        tenantId: tenant.tenantId,
        slug: tenant.slug,
        name: tenant.name,
        revision: tenant.revision,
        occurredAt: batch.now.toISOString(),
        state: tenant.state,
        tier: tenant.tier,
        limits: limitsOf(tenant.tier),
        storageType: tenant.storageType,
        resources: tenant.resources,
        degraded: tenant.acts.degraded === undefined ? null : reasonOf(tenant.acts.degraded.parts),
      },
    },
  });
};

/** Why a tenant is degraded, in one line. */
export const reasonOf = (ill: IllParts): string =>
  Object.entries(ill)
    .map(([part, { message }]) => `${part}: ${message}`)
    .join("; ");

/** What was seen of a tenant that is ready: parts of it are ill, or none is any more. */
export const publishHealth = (batch: Batch, tenant: Tenant, before: TenantActs["degraded"]): void => {
  const own = {
    tenantId: tenant.tenantId,
    slug: tenant.slug,
    name: tenant.name,
    revision: tenant.revision,
    occurredAt: batch.now.toISOString(),
  };
  const now = tenant.acts.degraded;
  batch.outbox.push({
    shard: tenant.shard,
    topic: lifecycleTopic,
    key: tenant.slug,
    tenantId: tenant.tenantId,
    message:
      now === undefined
        ? { record: "TenantRecovered", value: { ...own, degradedSince: before?.since ?? own.occurredAt } }
        : {
            record: "TenantDegraded",
            value: {
              ...own,
              reason: reasonOf(now.parts),
              parts: Object.entries(now.parts).map(([part, { code, message }]) => ({
                part,
                code,
                reason: message,
              })),
            },
          },
  });
};

/** Whole, proven, credentials released. */
export const publishProvisioned = (batch: Batch, tenant: Tenant, sagaId: string): void => {
  batch.outbox.push({
    shard: tenant.shard,
    topic: lifecycleTopic,
    key: tenant.slug,
    tenantId: tenant.tenantId,
    sagaId,
    message: {
      record: "TenantProvisioned",
      value: {
        tenantId: tenant.tenantId,
        slug: tenant.slug,
        name: tenant.name,
        revision: tenant.revision,
        occurredAt: batch.now.toISOString(),
        sagaId,
        requestId: tenant.requestId,
        source: tenant.source,
        tier: tenant.tier,
        limits: limitsOf(tenant.tier),
        storageType: tenant.storageType,
        resources: tenant.resources,
      },
    },
  });
};

type OfAct =
  | "TenantSuspended"
  | "TenantResumed"
  | "TenantCredentialsReplaced"
  | "TenantRepaired"
  | "TenantRemovalStarted"
  | "TenantRestored"
  | "TenantRemoved"
  | "TenantTierChanged"
  | "TenantMigrated"
  | "TenantCredentialsRotated";
type Own = "tenantId" | "slug" | "name" | "revision" | "occurredAt" | "sagaId";
/** What a lifecycle event of an act says beside the tenant and its saga. */
export type ActEvent = {
  [Record in OfAct]: {
    readonly record: Record;
    readonly value: Omit<Extract<LifecycleEvent, { record: Record }>["value"], Own>;
  };
}[OfAct];

/** What an act did to a tenant. Its revision was raised just before: readers drop what is not newer. */
export const publishLifecycle = (batch: Batch, tenant: Tenant, sagaId: string, event: ActEvent): void => {
  const own = {
    tenantId: tenant.tenantId,
    slug: tenant.slug,
    name: tenant.name,
    revision: tenant.revision,
    occurredAt: batch.now.toISOString(),
    sagaId,
  };
  batch.outbox.push({
    shard: tenant.shard,
    topic: lifecycleTopic,
    key: tenant.slug,
    tenantId: tenant.tenantId,
    sagaId,
    message: { record: event.record, value: { ...own, ...event.value } } as LifecycleEvent,
  });
};

/** Nothing is left of the tenant, and why; without a cause where its saga is forgotten by now. */
export const publishRolledBack = (
  batch: Batch,
  tenant: Tenant,
  sagaId: string,
  cause: Saga["error"] = { step: "", code: "rolled-back", message: "the tenant was rolled back" },
): void =>
  publishFailed(batch, {
    shard: tenant.shard,
    tenantId: tenant.tenantId,
    slug: tenant.slug,
    name: tenant.name,
    revision: tenant.revision,
    sagaId,
    source: tenant.source,
    requestId: tenant.requestId,
    // An abort may name no step.
    step: cause.step === "" ? null : cause.step,
    code: cause.code,
    message: cause.message,
  });

/** Why there is no such tenant: refused before any worker was asked (no saga), or rolled back. */
export const publishFailed = (
  batch: Batch,
  failed: {
    shard: number;
    tenantId: string;
    slug: string;
    name: string;
    revision: number;
    sagaId: string | null;
    source: string;
    requestId: string;
    step: string | null;
    code: string;
    message: string;
  },
): void => {
  const { shard, ...value } = failed;
  batch.outbox.push({
    shard,
    topic: lifecycleTopic,
    key: failed.slug,
    tenantId: failed.tenantId,
    ...(failed.sagaId === null ? {} : { sagaId: failed.sagaId }),
    message: { record: "TenantProvisioningFailed", value: { ...value, occurredAt: batch.now.toISOString() } },
  });
};

/** A removal was asked for and refused: nothing was touched. */
export const publishRemovalRefused = (
  batch: Batch,
  shard: number,
  refused: {
    tenantId: string;
    slug: string;
    revision: number;
    source: string;
    requestId: string;
    code: string;
    message: string;
  },
): void => {
  batch.outbox.push({
    shard,
    topic: lifecycleTopic,
    key: refused.slug,
    tenantId: refused.tenantId,
    message: { record: "TenantRemovalRefused", value: { ...refused, occurredAt: batch.now.toISOString() } },
  });
};
