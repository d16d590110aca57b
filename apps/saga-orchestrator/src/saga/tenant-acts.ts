import { type RotatedPart, rotatedParts, type Slug, shardOf, unreachable } from "@deeplens/contracts";
import { finalBackupStep, graceStep, notRotated, vectorsCheckStep } from "../machine/act-table.ts";
import {
  accepted,
  actRuns,
  already,
  happenedOf,
  lastSagaOf,
  type Parts,
  type Refusal,
  refuse,
  type TenantAct,
  tell,
  wrongState,
} from "./act-answers.ts";
import { changedMeanwhile } from "./acts.ts";
import { advanceSaga, startSaga } from "./advance.ts";
import { moveTenant, publishLifecycle } from "./announce.ts";
import { actKindOf, type Batch } from "./batch.ts";
import type { InboxResult, RotationChange } from "./inbox.ts";
import { newStep, sagaIdOf } from "./requests.ts";
import { changeRotation } from "./rotation-acts.ts";
import type { ActTold, Saga, Tenant, TenantState } from "./saga.ts";

/** Who asks, as events and history name it; both together tell the act from every other of its kind on this tenant. */
export interface Asked {
  readonly source: string;
  readonly requestId: string;
}

/** The acts that begin a saga of their own; the others change one that runs, or has run. */
type Begun = Exclude<TenantAct["act"], "restore" | "purge" | "grace" | "release" | RotationChange>;

/** In which states an act begins, and in which there is nothing to do. */
const states: Readonly<Record<Begun, { from: TenantState[]; already: TenantState[] }>> = {
  suspend: { from: ["ready"], already: ["suspended"] },
  resume: { from: ["suspended"], already: ["ready"] },
  remove: { from: ["ready", "suspended"], already: ["removed"] },
  backup: { from: ["ready", "suspended"], already: [] },
  drill: { from: ["ready", "suspended"], already: [] },
  backups: { from: ["ready", "suspended"], already: [] },
  // Of a suspended one the switch would open what is closed.
  "restore-backup": { from: ["ready"], already: [] },
  tier: { from: ["ready", "suspended"], already: [] },
  migrate: { from: ["ready", "suspended"], already: [] },
  "restore-back": { from: ["ready"], already: [] },
  "restore-end": { from: ["ready"], already: [] },
  "replace-credentials": { from: ["ready", "suspended"], already: [] },
  // Of a suspended one it would open what is closed: it is resumed first.
  repair: { from: ["ready"], already: [] },
  // No credential of a suspended one is to be good.
  rotate: { from: ["ready"], already: [] },
};

/**
 * An act on a tenant that was made: begins its saga, or changes the removal that runs. The same act again gets the same
 * answer; a second one while another runs is refused, naming the one that runs; one that names another tenant than has
 * the slug is refused (PROTOCOL.md 22).
 */
export const applyTenantAct = (batch: Batch, act: TenantAct, asked: Asked): InboxResult => {
  const reservation = batch.reservations.get(act.slug);
  const tenant = reservation === undefined ? undefined : batch.tenants.get(reservation.tenantId);
  if (reservation === undefined || tenant === undefined)
    return {
      ok: false,
      code: "tenant-unknown",
      message: `there is no tenant ${act.slug}; list them with \`tenantctl list\``,
    };
  if (tenant.tenantId !== act.tenantId)
    return refuse(
      tenant,
      "tenant-differs",
      `${act.slug} is tenant ${tenant.tenantId} now, not ${act.tenantId}: nothing was touched`,
    );
  if (act.ifRevision !== undefined && act.ifRevision !== tenant.revision)
    return refuse(
      tenant,
      changedMeanwhile,
      `the tenant ${act.slug} is no more as you saw it: it is ${tenant.state} now`,
    );
  switch (act.act) {
    case "suspend":
    case "resume":
    case "remove":
    case "backup":
    case "drill":
    case "backups":
    case "restore-backup":
    case "tier":
    case "migrate":
    case "restore-back":
    case "restore-end":
    case "replace-credentials":
    case "repair":
    case "rotate":
      return begin(batch, act.act, act, { tenant, reservation }, asked);
    case "restore":
    case "purge":
    case "grace":
      return changeRemoval(batch, act, act.act, { tenant, reservation });
    case "release":
      return release(batch, act, { tenant, reservation });
    case "end-rotation":
    case "overlap":
      return changeRotation(batch, act, act.act, { tenant, reservation });
    default:
      return unreachable(act.act);
  }
};

/** Another act of the kind is no repetition of the one that runs: what it was told may differ. */
const isToldMore: ReadonlySet<Begun> = new Set<Begun>(["restore-backup", "tier", "replace-credentials"]);

const begin = (
  batch: Batch,
  kind: Begun,
  act: TenantAct,
  { tenant, reservation }: Parts,
  asked: Asked,
): InboxResult => {
  const { running } = tenant.acts;
  if (running !== undefined)
    return isRepetition(batch, kind, act, running)
      ? already(tenant, running.sagaId)
      : actRuns(tenant, running);
  const { from, already: there } = states[kind];
  if (there.includes(tenant.state)) return already(tenant, lastSagaOf(tenant, reservation));
  if (!from.includes(tenant.state)) return wrongState(tenant, kind, reservation);
  if (act.tier === tenant.tier) return already(tenant, lastSagaOf(tenant, reservation));
  if ((kind === "restore-back" || kind === "restore-end") && !hasWayBack(batch, kind, tenant))
    return refuse(
      tenant,
      "nothing-replaced",
      `nothing that a restore of tenant ${tenant.slug} has replaced is kept: there is nothing to switch back to; restore a backup: tenantctl backups ${tenant.slug}`,
    );
  if (kind === "replace-credentials" && tenant.storageType !== "byos")
    return refuse(
      tenant,
      "storage-not-byos",
      `tenant ${tenant.slug} has no storage of its own: there are no credentials of its to replace`,
    );
  const saga = newSaga(batch, kind, act, tenant, asked);
  if (kind === "rotate" && nothingIsRotated(saga))
    return refuse(
      tenant,
      "nothing-to-rotate",
      `tenant ${tenant.slug} has no ${rotatedBy(act).join(" and no ")} of its own: there are no credentials to rotate`,
    );
  tenant.acts = { ...tenant.acts, running: { sagaId: saga.sagaId, kind, from: tenant.state } };
  batch.sagas.set(saga.sagaId, saga);
  batch.changedTenants.add(tenant);
  if (kind === "remove") startRemoval(batch, tenant, saga);
  const { by, reason } = act;
  startSaga(batch, saga, { event: "requested", step: null, fence: null, body: { by, reason, ...asked } });
  return { ok: true, sagaId: saga.sagaId, tenantId: tenant.tenantId, status: saga.status, repeated: false };
};

/** What was replaced is kept; what is over may be dropped at any moment, and is no way back any more. */
const hasWayBack = ({ now }: Batch, kind: Begun, { acts: { replaced } }: Tenant): boolean =>
  replaced !== undefined && (kind === "restore-end" || Date.parse(replaced.until) > now.getTime());

const isRepetition = (
  batch: Batch,
  kind: Begun,
  act: TenantAct,
  running: { readonly sagaId: string; readonly kind: string },
): boolean => {
  if (running.kind !== kind || isToldMore.has(kind)) return false;
  if (kind !== "rotate") return true;
  const told = batch.sagas.get(running.sagaId)?.request.act?.rotation;
  return told !== undefined && String(told.parts) === String(rotatedBy(act));
};

/** The parts that a rotation is of, in the order of all of them. */
const rotatedBy = ({ parts = rotatedParts }: TenantAct): RotatedPart[] =>
  rotatedParts.filter((part) => parts.includes(part));

const nothingIsRotated = ({ facts }: Saga): boolean =>
  rotatedParts.every((part) => facts.leftOut.includes(`rotate-${part}`));

/** What an act leaves out of its table beside what the tenant has no use for. */
const leftOutOf = (act: TenantAct, graceMs: number, restore: ActTold["restore"]): readonly string[] => {
  // At once: what a last backup would be kept in goes too.
  if (act.act === "remove" && graceMs === 0) return [finalBackupStep, graceStep];
  if (act.act === "restore-back" && restore?.parts === "database") return [vectorsCheckStep];
  return act.act === "rotate" ? notRotated(rotatedBy(act)) : [];
};

/** What a switch back goes back to is known; a restore is told. */
const restoreOf = (kind: string, act: TenantAct, { acts: { replaced } }: Tenant): ActTold["restore"] =>
  replaced !== undefined && (kind === "restore-back" || kind === "restore-end")
    ? { backup: replaced.safetyBackup, parts: replaced.parts }
    : act.restore;

const newSaga = (
  batch: Batch,
  kind: string,
  act: TenantAct,
  tenant: Tenant,
  { source, requestId }: Asked,
): Saga => {
  const machine = actKindOf(batch, kind);
  const { steps } = machine.act;
  const sagaId = sagaIdOf(tenant.tenantId, kind, JSON.stringify([source, requestId]));
  const graceMs = act.graceMs ?? batch.settings.graceMs;
  const restore = restoreOf(kind, act, tenant);
  const skipped = leftOutOf(act, graceMs, restore);
  const told: ActTold = {
    by: act.by,
    reason: act.reason,
    ...(act.credentialRef === undefined ? {} : { credentialRef: act.credentialRef }),
    ...(act.tier === undefined ? {} : { tier: { from: tenant.tier, to: act.tier } }),
    ...(restore === undefined ? {} : { restore }),
    ...(kind === "rotate"
      ? { rotation: { parts: rotatedBy(act), overlapMs: act.overlapMs ?? batch.settings.overlapMs } }
      : {}),
    ...(kind === "remove" ? { purgeAt: new Date(batch.now.getTime() + graceMs).toISOString() } : {}),
  };
  return {
    sagaId,
    tenantId: tenant.tenantId,
    slug: tenant.slug as Slug,
    shard: shardOf(tenant.slug, batch.shards),
    kind,
    status: "running",
    machineVersion: machine.machineVersion,
    version: 0,
    state: {},
    facts: {
      leftOut: steps
        .filter(({ step, when }) => skipped.includes(step) || when?.(tenant) === false)
        .map(({ step }) => step),
    },
    steps: Object.fromEntries(steps.map(({ step }) => [step, newStep()])),
    timers: {},
    request: {
      source,
      requestId,
      spec: {
        name: tenant.name,
        slug: tenant.slug as Slug,
        tier: tenant.tier,
        storage: { type: tenant.storageType },
      },
      act: told,
    },
    createdAt: batch.now.toISOString(),
  };
};

const startRemoval = (batch: Batch, tenant: Tenant, saga: Saga): void => {
  const purgeAt = saga.request.act?.purgeAt ?? "";
  tenant.acts = { ...tenant.acts, removal: { sagaId: saga.sagaId, purgeAt } };
  tellRemoval(batch, tenant, saga);
};

/** Tells that the removal runs, and until when it can be taken back. */
const tellRemoval = (batch: Batch, tenant: Tenant, saga: Saga): void => {
  const { source, requestId, act } = saga.request;
  moveTenant(batch, tenant, "removing");
  publishLifecycle(batch, tenant, saga.sagaId, {
    record: "TenantRemovalStarted",
    value: { source, requestId, reason: act?.reason ?? "", purgeAt: act?.purgeAt ?? "" },
  });
};

/** Takes a removal back, has it purge now, or moves the moment of the purge. */
const changeRemoval = (
  batch: Batch,
  act: TenantAct,
  what: "restore" | "purge" | "grace",
  { tenant, reservation }: Parts,
): InboxResult => {
  const { running } = tenant.acts;
  if (running === undefined || running.kind !== "remove") {
    if (what === "restore" && tenant.state === "ready")
      return already(tenant, lastSagaOf(tenant, reservation));
    return running === undefined ? wrongState(tenant, what, reservation) : actRuns(tenant, running);
  }
  const saga = batch.sagas.get(running.sagaId);
  if (saga === undefined)
    return refuse(
      tenant,
      "moved-on",
      `the removal of tenant ${tenant.slug} has moved on; send the act again`,
    );
  switch (what) {
    case "restore":
      return restore(batch, act, saga, tenant);
    case "purge":
      return purgeNow(batch, act, saga, tenant);
    case "grace":
      return moveGrace(batch, act, saga, tenant);
    default:
      return unreachable(what);
  }
};

const restore = (batch: Batch, act: TenantAct, saga: Saga, tenant: Tenant): InboxResult => {
  if (saga.status === "compensating" || saga.state.course === "stuckUndo")
    return already(tenant, saga.sagaId);
  const before = saga.state.course;
  const { request } = saga;
  tell(saga, { by: act.by, reason: act.reason });
  advanceSaga(batch, saga, { type: "abort" }, happenedOf(act));
  if (saga.state.course !== before) {
    // What it was stuck at, if it was, is no cause of anything any more.
    delete saga.error;
    return accepted(saga);
  }
  saga.request = request;
  return refuse(
    tenant,
    "purge-commanded",
    `the purge of tenant ${tenant.slug} was begun: nothing of it can be restored, the removal only goes forward`,
  );
};

const purgeNow = (batch: Batch, act: TenantAct, saga: Saga, tenant: Tenant): InboxResult => {
  const grace = saga.state[graceStep] ?? "";
  if (["done", "skipped"].includes(grace)) return already(tenant, saga.sagaId);
  if (grace === "untouched" || saga.status === "compensating") return isRestored(tenant, saga);
  setPurgeAt(batch, saga, tenant, batch.now);
  // A final backup that can't be had is no reason to keep what is to go at once.
  if (saga.state[finalBackupStep] === "halted") {
    // It is no cause of what the purge may be stuck at.
    delete saga.error;
    advanceSaga(batch, saga, { type: `skip.${finalBackupStep}` }, happenedOf(act));
  }
  if (saga.state[graceStep] === "waiting")
    advanceSaga(batch, saga, { type: `elapsed.${graceStep}` }, happenedOf(act));
  return accepted(saga);
};

const moveGrace = (batch: Batch, act: TenantAct, saga: Saga, tenant: Tenant): InboxResult => {
  if (!["pending", "waiting"].includes(saga.state[graceStep] ?? ""))
    return saga.status === "compensating"
      ? isRestored(tenant, saga)
      : refuse(
          tenant,
          "purge-commanded",
          `the purge of tenant ${tenant.slug} was begun: its grace period is over`,
        );
  const until = Date.parse(saga.createdAt) + (act.graceMs ?? batch.settings.graceMs);
  setPurgeAt(batch, saga, tenant, new Date(Math.max(until, batch.now.getTime())));
  tell(saga, { by: act.by, reason: act.reason });
  batch.changedSagas.add(saga);
  tellRemoval(batch, tenant, saga);
  return accepted(saga);
};

const setPurgeAt = (batch: Batch, saga: Saga, tenant: Tenant, at: Date): void => {
  const purgeAt = at.toISOString();
  tell(saga, { purgeAt });
  const timer = saga.timers[graceStep];
  if (timer !== undefined) saga.timers[graceStep] = { ...timer, dueMs: at.getTime() };
  tenant.acts = { ...tenant.acts, removal: { ...tenant.acts.removal, sagaId: saga.sagaId, purgeAt } };
  batch.changedSagas.add(saga);
  batch.changedTenants.add(tenant);
};

/** Ends the holding of a removed tenant's name: at once after the second look, and never before it. */
const release = (batch: Batch, act: TenantAct, { tenant, reservation }: Parts): InboxResult => {
  const { removal } = tenant.acts;
  if (removal === undefined) return wrongState(tenant, "release", reservation);
  if (reservation.released) return already(tenant, removal.sagaId);
  const saga = batch.sagas.get(removal.sagaId);
  if (saga === undefined)
    return refuse(
      tenant,
      "moved-on",
      `the removal of tenant ${tenant.slug} has moved on; send the act again`,
    );
  tenant.acts = { ...tenant.acts, removal: { ...removal, slugHeldUntil: batch.now.toISOString() } };
  batch.changedTenants.add(tenant);
  if (saga.status === "removed") advanceSaga(batch, saga, { type: "releaseDue" }, happenedOf(act));
  return accepted(saga);
};

const isRestored = (tenant: Tenant, saga: Saga): Refusal =>
  refuse(tenant, "being-restored", `tenant ${tenant.slug} is being restored (saga ${saga.sagaId})`);
