import { unreachable } from "@deeplens/contracts";
import {
  identityPurgeStep,
  isOperation,
  overlapStep,
  restoreSwitchStep,
  safetyBackupStep,
} from "../machine/act-table.ts";
import type { MachineAction } from "../machine/events.ts";
import { limitsOf, moveTenant, publishLifecycle } from "./announce.ts";
import { actStepOf, type Batch, partsOf } from "./batch.ts";
import {
  type ActTold,
  type Replaced,
  type RotationTold,
  releaseTimer,
  type Saga,
  stepOf,
  type Tenant,
  type TenantState,
} from "./saga.ts";

type ActSaga = Saga & { request: { readonly act: ActTold } };

/** What an act's machine asks for in words of its own, or in the provisioning's with another meaning. */
type Moment =
  | { readonly type: "wait" | "tell"; readonly step: string }
  | { readonly type: "forward" | "compensating" | "stuck" | "done" | "undone" | "removed" };

const moments: readonly string[] = [
  "wait",
  "tell",
  "forward",
  "compensating",
  "stuck",
  "done",
  "undone",
  "removed",
] satisfies Moment["type"][];

/** True where the action is an act's to carry out. */
export const isMoment = (action: MachineAction): action is Moment & MachineAction =>
  moments.includes(action.type);

/** Carries out what an act's machine asks for: its waits, the tenant's state, and what is told of it. */
export const performMoment = (batch: Batch, saga: Saga, moment: Moment): void => {
  const { tenant } = partsOf(batch, saga);
  const { act } = (saga as ActSaga).request;
  switch (moment.type) {
    case "wait":
      if (act.rotation !== undefined) return beginOverlap(batch, saga as ActSaga, tenant, act.rotation);
      saga.timers[moment.step] = { kind: "wait", dueMs: Date.parse(act.purgeAt ?? ""), fence: 0 };
      return;
    case "tell":
      Object.assign(stepOf(saga, moment.step), {
        receipt: [{ kind: "identity-tenant", name: saga.slug, outcome: "told-by-event" }],
        finishedAt: batch.now.toISOString(),
      });
      return;
    case "stuck":
      return moveTenant(batch, tenant, "stuck");
    case "forward":
    case "compensating":
      return tenant.state === "stuck" ? moveTenant(batch, tenant, duringOf(saga, tenant)) : undefined;
    case "done":
      return finish(batch, saga as ActSaga, tenant);
    case "undone":
      return takeBack(batch, saga as ActSaga, tenant);
    case "removed":
      return remove(batch, saga as ActSaga, tenant);
    default:
      return unreachable(moment);
  }
};

/** The version of the template that the tenant's database is of. */
const templateKey = "database.templateVersion";

/** The tenant's state while the act goes on. */
const duringOf = (saga: Saga, tenant: Tenant): TenantState =>
  saga.kind === "remove" ? "removing" : (tenant.acts.running?.from ?? "ready");

const finish = (batch: Batch, saga: ActSaga, tenant: Tenant): void => {
  const { reason } = saga.request.act;
  const { running: _running, rotation: _rotation, suspension, ...acts } = tenant.acts;
  const since = batch.now.toISOString();
  // After an act that leaves a suspension as it is.
  const asBefore = suspension === undefined ? acts : { ...acts, suspension };
  delete saga.error;
  const before = tenant.resources[templateKey] ?? "";
  keepOutputs(batch, saga, tenant);
  switch (saga.kind) {
    case "suspend":
      tenant.acts = { ...acts, suspension: { sagaId: saga.sagaId, reason, since } };
      moveTenant(batch, tenant, "suspended");
      return publishLifecycle(batch, tenant, saga.sagaId, { record: "TenantSuspended", value: { reason } });
    case "resume":
      tenant.acts = acts;
      moveTenant(batch, tenant, "ready");
      return publishLifecycle(batch, tenant, saga.sagaId, { record: "TenantResumed", value: { reason } });
    case "tier":
      tenant.acts = asBefore;
      return changeTier(batch, saga, tenant);
    case "replace-credentials":
      tenant.acts = asBefore;
      moveTenant(batch, tenant, tenant.state);
      return publishLifecycle(batch, tenant, saga.sagaId, {
        record: "TenantCredentialsReplaced",
        value: { reason },
      });
    case "repair":
      tenant.acts = acts;
      moveTenant(batch, tenant, tenant.state);
      return publishLifecycle(batch, tenant, saga.sagaId, { record: "TenantRepaired", value: { reason } });
    case "migrate": {
      tenant.acts = asBefore;
      const templateVersion = tenant.resources[templateKey] ?? "";
      batch.changedTenants.add(tenant);
      // It was there already: the tenant is what it was.
      if (templateVersion === before) return;
      moveTenant(batch, tenant, tenant.state);
      return publishLifecycle(batch, tenant, saga.sagaId, {
        record: "TenantMigrated",
        value: { templateVersion, templateBefore: before, reason },
      });
    }
    case "rotate":
      tenant.acts = acts;
      moveTenant(batch, tenant, tenant.state === "stuck" ? "ready" : tenant.state);
      return tellRotation(batch, tenant, saga, "ended", null);
    case "backup":
    case "drill":
    case "backups":
      // The tenant is what it was: nothing is to be told of it.
      tenant.acts = asBefore;
      batch.changedTenants.add(tenant);
      return;
    case "restore-backup":
    case "restore-back":
      tenant.acts = { ...acts, replaced: replacedBy(batch, saga) };
      batch.changedTenants.add(tenant);
      return;
    case "restore-end": {
      const { replaced: _dropped, ...rest } = acts;
      tenant.acts = rest;
      batch.changedTenants.add(tenant);
      return;
    }
    default:
      throw new Error(`a saga of kind ${saga.kind} has no end of its own`);
  }
};

/** The parts are limited by the other tier: what it allows beside them is told to everyone. */
const changeTier = (batch: Batch, saga: ActSaga, tenant: Tenant): void => {
  const { reason, tier: asked } = saga.request.act;
  const tierBefore = tenant.tier;
  tenant.tier = asked?.to ?? tierBefore;
  moveTenant(batch, tenant, tenant.state);
  publishLifecycle(batch, tenant, saga.sagaId, {
    record: "TenantTierChanged",
    value: { tier: tenant.tier, tierBefore, limits: limitsOf(tenant.tier), reason },
  });
};

/** What was live until this restore, or this switch back, is kept for a while. */
const replacedBy = (batch: Batch, saga: ActSaga): Replaced => {
  const { backup = "", parts = "all" } = saga.request.act.restore ?? {};
  return {
    sagaId: saga.sagaId,
    backup,
    parts,
    safetyBackup: stepOf(saga, safetyBackupStep).outputs?.backup ?? "",
    at: batch.now.toISOString(),
    until: new Date(batch.now.getTime() + batch.settings.replacedKeptMs).toISOString(),
  };
};

/** What an earlier restore put aside, after an act that was undone: its time may be over, or be over a little later. */
const stillReplaced = (batch: Batch, saga: Saga, replaced: Replaced): Replaced => {
  const inMs = (ms: number): string => new Date(batch.now.getTime() + ms).toISOString();
  if (saga.kind === "restore-end") return { ...replaced, until: inMs(dropAgainMs) };
  // The switch makes room for what it puts aside itself.
  const gone = saga.kind === "restore-backup" && stepOf(saga, restoreSwitchStep).attempts.do > 0;
  return gone && replaced.parts !== "vectors" ? { ...replaced, until: inMs(0) } : replaced;
};

const dropAgainMs = 3_600_000;

/** The act was undone: the tenant is what it was. A removal that was taken back leaves the tenant open. */
const takeBack = (batch: Batch, saga: ActSaga, tenant: Tenant): void => {
  const { running, removal: _removal, rotation, ...acts } = tenant.acts;
  if (saga.kind !== "remove") {
    const { replaced } = acts;
    if (saga.kind === "rotate") keepOutputs(batch, saga, tenant);
    tenant.acts = replaced === undefined ? acts : { ...acts, replaced: stillReplaced(batch, saga, replaced) };
    moveTenant(batch, tenant, running?.from ?? "ready");
    if (rotation !== undefined) tellRotation(batch, tenant, saga, "taken-back", null);
    return;
  }
  delete saga.error;
  keepOutputs(batch, saga, tenant);
  const { suspension: _suspension, ...rest } = acts;
  tenant.acts = rest;
  moveTenant(batch, tenant, "ready");
  const { reason } = saga.request.act;
  publishLifecycle(batch, tenant, saga.sagaId, { record: "TenantRestored", value: { reason } });
};

/** The new credentials are proven: they are what the tenant has from now on, and the old ones are good for a while. */
const beginOverlap = (batch: Batch, saga: ActSaga, tenant: Tenant, told: RotationTold): void => {
  const beganAt = batch.now.toISOString();
  saga.request = { ...saga.request, act: { ...saga.request.act, rotation: { ...told, beganAt } } };
  keepOutputs(batch, saga, tenant);
  setOverlap(batch, saga, tenant, batch.now.getTime() + told.overlapMs);
};

/** Old and new credentials are good together until then; told to everybody. */
export const setOverlap = (batch: Batch, saga: Saga, tenant: Tenant, dueMs: number): void => {
  const oldUntil = new Date(dueMs).toISOString();
  saga.timers[overlapStep] = { kind: "wait", dueMs, fence: 0 };
  const { parts = [] } = saga.request.act?.rotation ?? {};
  tenant.acts = { ...tenant.acts, rotation: { sagaId: saga.sagaId, parts, oldUntil } };
  moveTenant(batch, tenant, tenant.state);
  tellRotation(batch, tenant, saga, "began", oldUntil);
};

const tellRotation = (
  batch: Batch,
  tenant: Tenant,
  saga: Saga,
  phase: "began" | "ended" | "taken-back",
  oldUntil: string | null,
): void => {
  const { reason = "", rotation } = saga.request.act ?? {};
  publishLifecycle(batch, tenant, saga.sagaId, {
    record: "TenantCredentialsRotated",
    value: { phase, parts: [...(rotation?.parts ?? [])], oldUntil, reason },
  });
};

/** Nothing is left, and a second look has confirmed it: the name is held on for a while, and then free. */
const remove = (batch: Batch, saga: ActSaga, tenant: Tenant): void => {
  const {
    running: _running,
    suspension: _suspension,
    degraded: _degraded,
    replaced: _replaced,
    removal,
    ...acts
  } = tenant.acts;
  const slugHeldUntil =
    removal?.slugHeldUntil ?? new Date(batch.now.getTime() + batch.settings.slugHeldMs).toISOString();
  const { source, requestId, act } = saga.request;
  const leftInIdentity =
    saga.steps[identityPurgeStep]?.outputs?.identityTenantId ?? tenant.resources["identity.tenantId"];
  delete saga.error;
  tenant.acts = {
    ...acts,
    removal: { sagaId: saga.sagaId, purgeAt: act.purgeAt ?? "", slugHeldUntil },
    ...(leftInIdentity === undefined ? {} : { leftInIdentity }),
  };
  saga.timers[releaseTimer] = { kind: "release", dueMs: Date.parse(slugHeldUntil), fence: 0 };
  tenant.resources = {};
  moveTenant(batch, tenant, "removed");
  publishLifecycle(batch, tenant, saga.sagaId, {
    record: "TenantRemoved",
    value: { source, requestId, slugHeldUntil },
  });
};

/** What steps put out that change what the tenant has: under its part's name, as the provisioning's. */
const keepOutputs = (batch: Batch, saga: Saga, tenant: Tenant): void => {
  for (const [name, { outputs }] of Object.entries(saga.steps)) {
    const step = actStepOf(batch, saga, name);
    if (step === undefined || !isOperation(step) || step.keepsOutputs !== true) continue;
    for (const [key, value] of Object.entries(outputs ?? {}))
      tenant.resources = { ...tenant.resources, [`${step.part}.${key}`]: value };
  }
};
