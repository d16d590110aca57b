import { unreachable } from "@deeplens/contracts";
import type { Advance } from "../machine/advance.ts";
import type { MachineAction, MachineEvent } from "../machine/events.ts";
import { isMoment, performMoment } from "./act-moments.ts";
import { moveTenant, publishProvisioned, publishRolledBack } from "./announce.ts";
import { type Batch, type HistoryEntry, machineOf, partsOf } from "./batch.ts";
import { sendCommand } from "./commands.ts";
import {
  isFinal,
  outputsOf,
  type Saga,
  type SagaStatus,
  settleTimer,
  statusOf,
  stepOf,
  workOf,
} from "./saga.ts";
import { backOffOf } from "./settings.ts";

/** What happened, for the history. */
export type Happened = Pick<HistoryEntry, "event" | "step" | "fence"> & {
  readonly body?: Record<string, unknown>;
};

/** Begins a saga that was just made. */
export const startSaga = (batch: Batch, saga: Saga, happened: Happened): void =>
  carryOut(batch, saga, machineOf(batch, saga).runner.start(saga.facts), happened);

/** Gives the machine an event and carries out what it asks for. Everything goes into the batch; nothing is sent here. */
export const advanceSaga = (batch: Batch, saga: Saga, event: MachineEvent, happened: Happened): void => {
  const { machineVersion, runner } = machineOf(batch, saga);
  saga.machineVersion = machineVersion;
  carryOut(batch, saga, runner.next(saga.state, saga.facts, event), happened);
};

/** Something happened that moves nothing. */
export const record = (batch: Batch, saga: Saga, happened: Happened): void => {
  batch.history.push({
    sagaId: saga.sagaId,
    at: batch.now.toISOString(),
    event: happened.event,
    step: happened.step,
    fence: happened.fence,
    body: happened.body ?? {},
  });
};

const goesOn: ReadonlySet<SagaStatus> = new Set(["running", "compensating", "waiting"]);

const carryOut = (batch: Batch, saga: Saga, advance: Advance, happened: Happened): void => {
  const before = saga.state;
  const wasStuck = saga.status === "stuck";
  saga.state = advance.state;
  saga.status = statusOf(advance.state);
  for (const step of Object.keys(saga.steps))
    if (before[step] !== advance.state[step]) delete saga.timers[step];
  const outboxBefore = batch.outbox.length;
  for (const action of advance.actions) perform(batch, saga, action);
  if (isFinal(saga.status)) saga.timers = {};
  if (wasStuck && saga.status !== "stuck") delete saga.finishedAt;
  if (!goesOn.has(saga.status)) saga.finishedAt ??= batch.now.toISOString();
  batch.changedSagas.add(saga);
  record(batch, saga, {
    ...happened,
    body: {
      ...happened.body,
      moved: difference(before, advance.state),
      asked: advance.actions,
      ...sentSince(batch, outboxBefore),
    },
  });
};

/** Which messages went out with it. */
const sentSince = ({ outbox }: Batch, from: number): { sent?: object[] } =>
  outbox.length === from
    ? {}
    : {
        sent: outbox.slice(from).map(({ message: { record }, topic: { suffix }, step, fence }) => ({
          ...{ record, topic: suffix },
          ...(step === undefined ? {} : { step, fence }),
        })),
      };

const perform = (batch: Batch, saga: Saga, action: MachineAction): void => {
  const { tenant, reservation } = partsOf(batch, saga);
  if (saga.request.act !== undefined && isMoment(action)) return performMoment(batch, saga, action);
  switch (action.type) {
    case "command":
      return sendCommand(batch, saga, action.step, "do");
    case "undo":
      return sendCommand(batch, saga, action.step, "undo");
    case "look":
      return sendCommand(batch, saga, action.step, "look");
    case "backOff": {
      const step = stepOf(saga, action.step);
      const waitMs = backOffOf(
        batch.settings,
        saga.sagaId,
        action.step,
        step.attempts[workOf(saga.state[action.step])],
      );
      saga.timers[action.step] = { kind: "backOff", dueMs: batch.now.getTime() + waitMs, fence: step.fence };
      return;
    }
    case "settle":
      saga.timers[settleTimer] = {
        kind: "settle",
        dueMs: batch.now.getTime() + batch.settings.settleMs,
        fence: 0,
      };
      return;
    case "provisioning":
      return moveTenant(batch, tenant, "provisioning");
    case "confirming":
      return moveTenant(batch, tenant, "rolled-back");
    case "ready":
      // What it was stuck at, if it ever was, is over.
      delete saga.error;
      tenant.resources = outputsOf(saga);
      moveTenant(batch, tenant, "ready");
      return publishProvisioned(batch, tenant, saga.sagaId);
    case "compensating":
      return moveTenant(batch, tenant, "compensating");
    case "rolledBack":
      moveTenant(batch, tenant, "rolled-back");
      return publishRolledBack(batch, tenant, saga.sagaId, saga.error);
    case "stuck":
      return moveTenant(batch, tenant, "stuck");
    case "release":
    case "hold":
      reservation.released = action.type === "release";
      batch.changedReservations.add(reservation);
      return;
    case "wait":
    case "tell":
    case "forward":
    case "done":
    case "undone":
    case "removed":
      throw new Error(`the saga ${saga.sagaId} is no act and asks for ${action.type}`);
    default:
      return unreachable(action);
  }
};

const difference = (
  before: Advance["state"],
  after: Advance["state"],
): Record<string, [string | null, string]> =>
  Object.fromEntries(
    Object.entries(after)
      .filter(([region, state]) => before[region] !== state)
      .map(([region, state]) => [region, [before[region] ?? null, state]]),
  );
