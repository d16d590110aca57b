import { lifecycleTopic, stateTopic, type TierName, tiers } from "@deeplens/contracts";
import type { Batch } from "./batch.ts";
import { after } from "./hybrid-clock.ts";
import type { Saga, Tenant, TenantState } from "./saga.ts";

const limitsOf = (tier: string) => {
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
