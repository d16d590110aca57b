import { topicName } from "@deeplens/contracts";
import type { Codec } from "@deeplens/messaging";
import { contentHeadersOf } from "@deeplens/messaging";
import { type Pool, type PoolClient, sqlStateOf, withConnection } from "@deeplens/postgres";
import type { Logger } from "@deeplens/telemetry";
import { publishState } from "../saga/announce.ts";
import { type Batch, newBatch, type OutboxMessage, type SagaKind } from "../saga/batch.ts";
import type { SagaSettings } from "../saga/settings.ts";
import { type Epochs, readBatch, ShardLost } from "../store/read-batch.ts";
import { readOutbox, readTenantsChangedSince } from "../store/read-outbox.ts";
import { BatchConflict, type EncodedMessage, writeBatch } from "../store/write-batch.ts";
import { applyInputs, keysOf } from "./apply.ts";
import { atOnce, readInbox, readSweep, readTimetable } from "./due.ts";
import type { InboxInput, Input } from "./inputs.ts";
import type { Intake, Taken } from "./intake.ts";
import { logHistory } from "./log-history.ts";
import type { Ownership } from "./ownership.ts";
import { createQuarantine } from "./quarantine.ts";
import type { OutboxRow, Sender } from "./sender.ts";
import type { OnStage } from "./stages.ts";
import { createTimetable, type DueSaga } from "./timetable.ts";

export interface Rounds {
  /** One transaction over what waits; false where nothing did. Never throws: what failed is tried again. */
  round(): Promise<boolean>;
  /** After a take-over: a predecessor's rows are published first, and the lately changed states again. */
  taken(shards: readonly number[]): void;
  /** Rows came into the inbox: the next round reads it. */
  mail(): void;
  /** How long a round may be waited for where nothing comes in, in ms: until the next timer, or for a second. */
  restMs(): number;
  /** Deletes the rows that were published since the last round, before this process ends. Never throws. */
  last(): Promise<void>;
}

/** What the next transaction does beside its inputs. */
interface Chores {
  /** Read outbox and timers from their tables again: after a take-over, or a commit whose outcome is not known. */
  readonly reload: boolean;
  /** Shards whose lately changed states are published again. */
  readonly republish: readonly number[];
}

interface Transacted {
  readonly batch: Batch;
  /** What this transaction wrote into the outbox. */
  readonly rows: readonly OutboxRow[];
  /** All that the tables hold, where it was read again. */
  readonly stored?: { readonly outbox: readonly OutboxRow[]; readonly timetable: readonly DueSaga[] };
}

const noChores: Chores = { reload: false, republish: [] };

const dueEveryMs = 200;
/** The inbox is read when its bell rings; and now and then, for a bell that was not heard. */
const inboxEveryMs = 2_000;
const longestRestMs = 1_000;
const sweepEveryMs = 60_000;
const lateStatesMs = 3_600_000;
/**
 * When the lately changed states are published once more after a take-over: longer than a predecessor's send can be
 * under way that began before it could know.
 */
const secondRepublishMs = 300_000;

export const createRounds = (options: {
  readonly installation: string;
  readonly schema: string;
  readonly shards: number;
  readonly settings: SagaSettings;
  readonly kind: SagaKind;
  readonly recordsAtOnce: number;
  readonly pool: Pool;
  readonly codec: Pick<Codec, "encode">;
  readonly intake: Intake;
  readonly ownership: Ownership;
  readonly sender: Sender;
  readonly now: () => Date;
  /** Told of every commit: the epochs that it was written with, and when its transaction began (performance.now). */
  readonly confirmed: (epochs: Epochs, atMs: number) => void;
  readonly onStage: OnStage;
  readonly log: Logger;
}): Rounds => {
  const { pool, schema, intake, ownership, sender, onStage, log } = options;
  const quarantine = createQuarantine(log);
  const timetable = createTimetable();
  let dueAtMs = 0;
  let inboxAtMs = 0;
  let mail = false;
  let tidyAtMs = 0;
  let sweepAtMs = 0;
  let chores: Chores = { reload: true, republish: [] };
  let secondRepublish: { readonly shards: readonly number[]; readonly atMs: number } | undefined;

  /** An operator's `accept` with the offset that it stands for. */
  const placed = (input: InboxInput): InboxInput =>
    input.body.kind === "accept"
      ? { ...input, next: ownership.stoppedAt(input.body.stream, input.shard)?.[input.body.from] }
      : input;

  const inputsOf = async (
    { records, left }: Taken,
    shards: readonly number[],
    now: Date,
  ): Promise<Input[]> => {
    const inputs = records.filter(({ shard }) => shards.includes(shard)).map(quarantine.admit);
    if (quarantine.isolating() && inputs.length > 0) return inputs;
    // Where replies can't be read, or wait to be applied, or commands don't get out, silence says nothing: neither a
    // deadline nor a sweep may undo anything there.
    const seeing =
      sender.blocked() === undefined
        ? shards.filter((shard) => !left.has(shard) && !ownership.blind(shard))
        : [];
    if (now.getTime() >= dueAtMs) {
      inputs.push(...quarantine.due(timetable.due(seeing, now.getTime(), atOnce)));
      dueAtMs = now.getTime() + dueEveryMs;
    }
    if (mail || now.getTime() >= inboxAtMs) {
      mail = false;
      const rows = await readInbox(pool, schema, shards);
      inputs.push(...quarantine.due(rows.map(placed)));
      // Where there were some there may be more, and these may have to be read again.
      inboxAtMs = now.getTime() + (rows.length > 0 ? dueEveryMs : inboxEveryMs);
    }
    if (now.getTime() >= sweepAtMs) {
      inputs.push(...quarantine.due(await readSweep(pool, schema, seeing)));
      timetable.replace(await readTimetable(pool, schema, shards));
      sweepAtMs = now.getTime() + sweepEveryMs;
    }
    return inputs;
  };

  const transact = async (
    client: PoolClient,
    now: Date,
    epochs: ReadonlyMap<number, number>,
    inputs: readonly Input[],
    published: readonly number[],
    { reload, republish }: Chores,
  ): Promise<Transacted> => {
    const { shardRows, ...read } = await readBatch(client, schema, epochs, keysOf(inputs, options.kind.kind));
    const { installation, shards, settings, kind } = options;
    const batch = newBatch({ now, installation, shards, settings, kind }, read);
    // Before anything is applied: behind a newer state of this batch the older one would be the last that is kept.
    if (republish.length > 0)
      for (const tenant of await readTenantsChangedSince(
        client,
        schema,
        republish,
        new Date(now.getTime() - lateStatesMs),
      ))
        publishState(batch, tenant);
    const applied = applyInputs(batch, shardRows, inputs);
    const outbox = [
      ...applied.deadLetters,
      ...batch.outbox.map((message) => encode(options, batch, message)),
    ];
    const { positions, inboxResults, audits } = applied;
    const accepted = applied.accepted.map(({ input, body, next }) => ({ ...body, shard: input.shard, next }));
    const writing = writeBatch(client, schema, epochs, {
      ...{ batch, outbox, positions, inboxResults, accepted, audits, published },
    });
    // On its way: from now on it may be committed, whatever becomes of this process.
    if (inputs.length > 0) onStage("written");
    const ids = await writing;
    const rows = outbox.map((message, index) => ({ ...message, id: ids[index] as number }));
    if (!reload) return { batch, rows };
    const owned = [...epochs.keys()];
    const stored = {
      outbox: await readOutbox(client, schema, owned),
      timetable: await readTimetable(client, schema, owned),
    };
    return { batch, rows, stored };
  };

  /** What is kept in memory follows what was committed. */
  const follow = ({ batch, rows, stored }: Transacted, inputs: readonly Input[]): void => {
    if (stored !== undefined) {
      timetable.replace(stored.timetable);
      dueAtMs = 0;
      sender.replace(stored.outbox);
      return;
    }
    timetable.note(batch.changedSagas);
    for (const input of inputs)
      if (input.from === "timer" && !batch.sagas.has(input.sagaId)) timetable.forget(input.sagaId);
    sender.add(rows);
  };

  /** Partitions that an operator let go on are read from where the table says now, without a restart. */
  const readOn = (inputs: readonly Input[]): void => {
    for (const input of inputs)
      if (input.from === "inbox" && input.body.kind === "accept")
        ownership
          .check(input.body.stream, input.shard)
          .catch((error: Error) => log.error({ err: error }, "an accepted partition is not read on"));
  };

  return {
    taken: (shards) => {
      chores = { reload: true, republish: shards };
      secondRepublish = { shards, atMs: options.now().getTime() + secondRepublishMs };
      dueAtMs = 0;
      inboxAtMs = 0;
      sweepAtMs = 0;
      onStage("taken");
    },
    // One that is due already is due for a reason: its shard can't be judged now.
    restMs: () =>
      Math.min(Math.max(timetable.notBeforeMs() - options.now().getTime(), dueEveryMs), longestRestMs),
    mail() {
      mail = true;
    },
    async last() {
      const epochs = ownership.epochs();
      const published = sender.takePublished();
      if (epochs.size === 0 || published.length === 0) return;
      try {
        await withConnection(pool, (client) =>
          transact(client, options.now(), epochs, [], published, noChores),
        );
      } catch (error) {
        log.warn({ reason: (error as Error).message }, "published rows are left to the next owner");
      }
    },
    async round() {
      const epochs = ownership.epochs();
      if (epochs.size === 0) return false;
      const now = options.now();
      const taken = intake.take(quarantine.isolating() ? 1 : options.recordsAtOnce);
      if (secondRepublish !== undefined && now.getTime() >= secondRepublish.atMs) {
        chores = { ...chores, republish: secondRepublish.shards };
        secondRepublish = undefined;
      }
      const todo = chores;
      let inputs: Input[] = [];
      let published: number[] = [];
      try {
        inputs = await inputsOf(taken, [...epochs.keys()], now);
        // Not worth a transaction of their own while others come.
        if (inputs.length > 0 || now.getTime() >= tidyAtMs) {
          published = sender.takePublished();
          tidyAtMs = now.getTime() + dueEveryMs;
        }
        if (inputs.length === 0 && published.length === 0 && todo === noChores) return false;
        if (inputs.length > 0) onStage("received");
        const begunMs = performance.now();
        const transacted = await withConnection(pool, (client) =>
          transact(client, now, epochs, inputs, published, todo),
        );
        options.confirmed(epochs, begunMs);
        if (inputs.length > 0) onStage("committed");
        if (published.length > 0) onStage("deleted");
        taken.committed();
        logHistory(log, transacted.batch);
        quarantine.passed();
        // A take-over while this one committed has left chores of its own.
        if (chores === todo) chores = noChores;
        follow(transacted, inputs);
        readOn(inputs);
        return inputs.length > 0;
      } catch (error) {
        sender.returnPublished(published);
        inboxAtMs = 0;
        // Perhaps it was committed after all. Where it was not, the partition stops again.
        readOn(inputs);
        chores = { ...chores, reload: true };
        if (error instanceof ShardLost) {
          if (ownership.epochs() !== epochs) return true;
          log.warn({ reason: error.message }, "shards lost; waiting for the next assignment");
          ownership.lose(epochs);
          intake.drop();
          sender.replace([]);
        } else if (error instanceof BatchConflict) {
          log.warn({ reason: error.message }, "applying the batch again");
        } else if (mayPass(error)) {
          log.error({ err: error }, "the batch could not be written; trying again");
          await new Promise((resolve) => setTimeout(resolve, 500));
        } else {
          quarantine.failed(inputs, error);
          dueAtMs = 0;
          if (inputs.length === 0) await new Promise((resolve) => setTimeout(resolve, 500));
        }
        return true;
      }
    },
  };
};

/** True for an error of the connection or the server, which says nothing about what was to be written. */
const mayPass = (error: unknown): boolean => {
  const state = sqlStateOf(error);
  if (state === undefined)
    return "code" in (error as object) || /connection|timeout/i.test((error as Error).message);
  return ["08", "25", "40", "53", "55", "57", "58"].includes(state.slice(0, 2));
};

const encode = (
  { codec }: { codec: Pick<Codec, "encode"> },
  batch: Batch,
  { topic, message, shard, key, tenantId, sagaId, step, fence }: OutboxMessage,
): EncodedMessage => {
  const value = codec.encode(topic, message);
  if (value.length > topic.maximumRecordBytes)
    throw new Error(
      `${message.record} of tenant ${tenantId} has ${value.length} bytes, too many for ${topic.suffix}`,
    );
  return {
    shard,
    topic: topicName(batch.installation, topic),
    key: Buffer.from(key),
    value,
    headers: contentHeadersOf({ record: message.record, tenantId, sagaId, step, fence }),
  };
};
