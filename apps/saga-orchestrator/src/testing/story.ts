import assert from "node:assert/strict";
import { type Command, type LifecycleEvent, lifecycleTopic, type Message } from "@deeplens/contracts";
import type { Batch } from "../saga/batch.ts";
import type { InboxResult } from "../saga/inbox.ts";
import { type Saga, type StepRecord, statusOf, type Timer, type Work, workOf } from "../saga/saga.ts";
import { defaultSettings, type SagaSettings } from "../saga/settings.ts";
import { applyBatch, emptyStore, rowsOf, type Stored } from "./memory-store.ts";
import { provisionKind } from "./provision-kind.ts";
import type { SentCommand, StoryEvent } from "./story-events.ts";

export const startMs = Date.parse("2026-01-01T00:00:00.000Z");

export interface ExpectedCommand {
  readonly step: string;
  readonly work: Work;
}
export const command = (step: string): ExpectedCommand => ({ step, work: "do" });
export const undo = (step: string): ExpectedCommand => ({ step, work: "undo" });
export const look = (step: string): ExpectedCommand => ({ step, work: "look" });

/** What was told to anybody who follows tenants. */
type Announcement = LifecycleEvent["record"];

/**
 * A saga's story so far. Every `expect` speaks of the last event; each returns the story, so that it can go on. What is
 * kept between two events is JSON text: a saga that lived in memory alone would fail every story.
 */
export interface Story {
  when(...events: StoryEvent[]): Story;
  expectCommands(...commands: ExpectedCommand[]): Story;
  expectState(course: string): Story;
  expectSteps(states: Readonly<Record<string, string>>): Story;
  expectTimer(name: string, kind: Timer["kind"], inMs: number): Story;
  expectNoTimer(name: string): Story;
  expectTenant(state: string): Story;
  expectAnnounced(...records: Announcement[]): Story;
  expectError(code: string): Story;
  expectNoError(): Story;
  expectSlug(state: "held" | "released"): Story;
  expectAccepted(expected: { repeated: boolean }): Story;
  expectRefused(code: string, because?: RegExp): Story;
  expectHistory(event: RegExp): Story;
  expectUnmoved(): Story;
  /** The control database is lost, or set back to what it was then: what was commanded since is still out. */
  setBackTo(earlier: "empty" | Story): Story;
  /** What is kept by now. */
  readonly stored: Stored;
  /** For what no other expectation says. */
  look(at: (now: Seen) => void): Story;
}

export interface Seen {
  readonly saga: Saga;
  readonly before: Saga | undefined;
  readonly batch: Batch;
  readonly result: InboxResult | undefined;
  readonly messages: readonly Message[];
  readonly step: (name: string) => StepRecord;
  readonly stored: Stored;
  readonly nowMs: number;
}

interface Now {
  readonly stored: Stored;
  readonly nowMs: number;
  readonly sagaId: string | undefined;
  readonly commands: readonly SentCommand[];
  readonly before: Saga | undefined;
  readonly batch: Batch | undefined;
  readonly result: InboxResult | undefined;
}

/** The settings of stories: as in production. */
export const given = (...events: StoryEvent[]): Story => givenWith({}, ...events);

export const givenWith = (settings: Partial<SagaSettings>, ...events: StoryEvent[]): Story => {
  const start: Now = {
    stored: emptyStore,
    nowMs: startMs,
    sagaId: undefined,
    commands: [],
    before: undefined,
    batch: undefined,
    result: undefined,
  };
  return storyFrom({ ...defaultSettings, ...settings }, start).when(...events);
};

const sagaIn = (stored: Stored, sagaId: string | undefined): Saga | undefined =>
  rowsOf(stored).sagas.find((saga) => saga.sagaId === sagaId);

const happen = (now: Now, event: StoryEvent, settings: SagaSettings): Now => {
  const { commands } = now;
  const about = event.about ?? now.sagaId;
  const before = sagaIn(now.stored, about);
  const { input, atMs } = event({ saga: before, commands, nowMs: now.nowMs });
  const nowMs = Math.max(now.nowMs, atMs ?? now.nowMs);
  const applied = applyBatch(now.stored, [input], { kind: provisionKind, settings, now: new Date(nowMs) });
  return {
    stored: applied.stored,
    nowMs,
    sagaId: about,
    commands: [...commands, ...commandsIn(applied.batch)],
    before,
    batch: applied.batch,
    result: applied.results[0],
  };
};

/** The commands that a batch sends, in their order. */
export const commandsIn = (batch: Batch): SentCommand[] =>
  batch.outbox.flatMap(({ message }): SentCommand[] => {
    switch (message.record) {
      case "TenantRequested":
      case "TenantRollbackRequested":
      case "TenantOperationRequested": {
        const { sagaId, step, fence } = message.value;
        return [{ sagaId, step, fence, work: workOfCommand(batch, message) }];
      }
      default:
        return [];
    }
  });

const workOfCommand = (batch: Batch, command: Command): Work => {
  switch (command.record) {
    case "TenantRequested":
      return "do";
    case "TenantRollbackRequested":
      return command.value.purpose === "compensate" ? "undo" : "look";
    case "TenantOperationRequested": {
      // A step is in the state of its newest command: of an operation that is its own undo nothing else tells which.
      const { sagaId, step } = command.value;
      return workOf(batch.sagas.get(sagaId)?.state[step]);
    }
  }
};

const storyFrom = (settings: SagaSettings, now: Now): Story => {
  const seen = (): Seen => {
    const saga = sagaIn(now.stored, now.sagaId);
    if (saga === undefined || now.batch === undefined) throw new Error("the story has no saga");
    const { batch, before, result, stored, nowMs } = now;
    const step = (name: string): StepRecord => {
      const found = saga.steps[name];
      if (found === undefined) throw new Error(`the saga has no step ${name}`);
      return found;
    };
    return {
      saga,
      before,
      batch,
      result,
      stored,
      nowMs,
      step,
      messages: batch.outbox.map(({ message }) => message),
    };
  };
  const rows = () => rowsOf(now.stored);
  const expect = (check: (now: Seen) => void): Story => {
    check(seen());
    return story;
  };
  const story: Story = {
    stored: now.stored,
    setBackTo: (earlier) =>
      storyFrom(settings, { ...now, stored: earlier === "empty" ? emptyStore : earlier.stored }),
    when: (...events) =>
      storyFrom(
        settings,
        events.reduce((so, event) => happen(so, event, settings), now),
      ),
    expectCommands: (...commands) => {
      const sent = now.batch === undefined ? [] : commandsIn(now.batch);
      assert.deepEqual(
        sent.map(({ step, work }) => ({ step, work })),
        commands,
      );
      return story;
    },
    expectState: (course) =>
      expect(({ saga }) => {
        assert.equal(saga.state.course, course, `its steps: ${JSON.stringify(saga.state)}`);
        assert.equal(saga.status, statusOf(saga.state));
      }),
    expectSteps: (states) =>
      expect(({ saga }) =>
        assert.deepEqual(
          Object.fromEntries(Object.keys(states).map((step) => [step, saga.state[step]])),
          states,
        ),
      ),
    expectTimer: (name, kind, inMs) =>
      expect(({ saga, nowMs }) => {
        const timer = saga.timers[name];
        assert.deepEqual({ kind: timer?.kind, inMs: (timer?.dueMs ?? 0) - nowMs }, { kind, inMs });
        if (kind !== "settle" && kind !== "release") assert.equal(timer?.fence, saga.steps[name]?.fence);
      }),
    expectNoTimer: (name) => expect(({ saga }) => assert.equal(saga.timers[name], undefined)),
    expectTenant: (state) =>
      expect(({ saga }) =>
        assert.equal(rows().tenants.find(({ tenantId }) => tenantId === saga.tenantId)?.state, state),
      ),
    expectAnnounced: (...records) => {
      const told = now.batch?.outbox
        .filter(({ topic }) => topic === lifecycleTopic)
        .map(({ message }) => message.record);
      assert.deepEqual(told, records);
      return story;
    },
    expectError: (code) => expect(({ saga }) => assert.equal(saga.error?.code, code)),
    expectNoError: () => expect(({ saga }) => assert.equal(saga.error, undefined)),
    expectSlug: (state) =>
      expect(({ saga }) => {
        const row = rows().reservations.find(({ slug }) => slug === saga.slug);
        assert.equal(row?.tenantId, saga.tenantId, "the slug is another tenant's");
        assert.equal(row?.released ? "released" : "held", state);
      }),
    expectAccepted: ({ repeated }) => {
      assert.equal(now.result?.ok, true, JSON.stringify(now.result));
      assert.equal(now.result?.ok === true && now.result.repeated, repeated);
      return story;
    },
    expectRefused: (code, because) => {
      assert.deepEqual(
        { ok: now.result?.ok, code: now.result?.ok === false && now.result.code },
        { ok: false, code },
      );
      if (because !== undefined && now.result?.ok === false) assert.match(now.result.message, because);
      return story;
    },
    expectHistory: (event) =>
      expect(({ batch }) => {
        const said = batch.history.map((entry) => entry.event);
        assert.ok(
          said.some((one) => event.test(one)),
          `the history says ${JSON.stringify(said)}`,
        );
      }),
    expectUnmoved: () =>
      expect(({ saga, before, batch }) => {
        assert.deepEqual(saga.state, before?.state);
        assert.deepEqual(saga.timers, before?.timers);
        assert.deepEqual(batch.outbox, []);
      }),
    look: expect,
  };
  return story;
};
