import { commandsTopic, deadLetterTopic, type StepName, topicName } from "@deeplens/contracts";
import {
  type Codec,
  deadLetterOf,
  type EachBatchPayload,
  type GroupConsumer,
  type KafkaMessage,
  runConsumer,
  UndecodableMessage,
} from "@deeplens/messaging";
import type { Logger } from "@deeplens/telemetry";
import type { Delivery } from "./dispatcher.ts";
import { gather } from "./gather.ts";
import { createOffsets } from "./offsets.ts";
import { orderOf, UnusableCommand } from "./order.ts";
import type { Sender } from "./sender.ts";

export interface Consumption {
  /** @throws while the consumer is not a member of its group, or Kafka has not answered it for long */
  check(): void;
  /** Takes no more commands. */
  pause(): void;
  /** Commits what is finished and leaves the group. */
  close(): Promise<void>;
}

export interface ConsumeOptions {
  readonly consumer: GroupConsumer;
  readonly installation: string;
  readonly step: StepName;
  readonly codec: Codec;
  /** Takes dead letters. */
  readonly sender: Sender;
  readonly log: Logger;
  /** Takes the commands of one fetch; resolves when they are fenced. */
  arrive(deliveries: readonly Delivery[]): Promise<void>;
  /** Told when the consumer is lost: the process must end. */
  readonly fatal: (error: Error) => void;
  /** How many partitions the topic has: all are worked on at once. */
  readonly shards: number;
  /** More unfinished commands than this pause the fetching. */
  readonly mostUnfinished: number;
  readonly commitMs?: number;
  readonly retryMs?: number;
}

/**
 * Consumes a step's commands from the beginning. Records that can't be read go to the dead letters before their offset
 * moves; where the registry does not answer, the partition waits. Only finished work is committed, from a timer.
 */
export const consume = async (options: ConsumeOptions): Promise<Consumption> => {
  const { consumer, installation, step, codec, sender, log, shards } = options;
  const { commitMs = 500, retryMs = 1_000 } = options;
  const commands = commandsTopic(step);
  const topic = topicName(installation, commands);
  const deadLetters = topicName(installation, deadLetterTopic(commands));
  const offsets = createOffsets();
  const arrive = gather(options.arrive);
  const retries = new Map<number, NodeJS.Timeout>();
  let assigned: readonly number[] = [];
  let joined = false;
  let unfinished = 0;
  let full = false;
  let stopped = false;

  consumer.on(consumer.events.GROUP_JOIN, ({ payload }) => {
    assigned = payload.memberAssignment[topic] ?? [];
    joined = true;
    offsets.reset(assigned);
    // The client's pauses outlive a rebalance; ours are for partitions that may be another's now.
    for (const timer of retries.values()) clearTimeout(timer);
    retries.clear();
    consumer.resume([{ topic }]);
    if (full || stopped) consumer.pause([{ topic, partitions: [...assigned] }]);
    log.info({ partitions: assigned }, "joined the group");
  });
  for (const event of [consumer.events.CRASH, consumer.events.STOP, consumer.events.DISCONNECT])
    consumer.on(event, () => {
      joined = false;
    });

  const limit = (): void => {
    if (!full && unfinished > options.mostUnfinished) {
      full = true;
      log.info({ unfinished }, "many unfinished commands: fetching pauses");
      consumer.pause([{ topic, partitions: [...assigned] }]);
    } else if (full && unfinished <= options.mostUnfinished * 0.75) {
      // Early: a resume may wait a second for its fetch, and the handlers are not to run dry meanwhile.
      full = false;
      resume(assigned.filter((partition) => !retries.has(partition)));
    }
  };
  const resume = (partitions: readonly number[]): void => {
    if (!stopped && !full && partitions.length > 0) consumer.resume([{ topic, partitions: [...partitions] }]);
  };
  const tryLater = (partition: number): void => {
    consumer.pause([{ topic, partitions: [partition] }]);
    clearTimeout(retries.get(partition));
    retries.set(
      partition,
      setTimeout(() => {
        retries.delete(partition);
        resume([partition]);
      }, retryMs),
    );
  };

  const take = (partition: number, message: KafkaMessage): (() => void) => {
    const finished = offsets.taken(partition, message.offset);
    let counted = true;
    unfinished += 1;
    return () => {
      if (!counted) return;
      counted = false;
      unfinished -= 1;
      finished();
      commitSoon();
      limit();
    };
  };

  const read = async (partition: number, message: KafkaMessage): Promise<Delivery | undefined> => {
    try {
      const order = orderOf(step, await codec.decode(message.value));
      return { order, finished: take(partition, message) };
    } catch (error) {
      if (!(error instanceof UndecodableMessage) && !(error instanceof UnusableCommand)) throw error;
      const reason = { code: codeOf(error), message: error.message };
      log.warn({ topic, partition, offset: message.offset, ...reason }, "to the dead letters");
      const finished = take(partition, message);
      const letter = deadLetterOf({ topic, partition, message }, reason);
      await sender.send(deadLetters, { ...letter, partition });
      finished();
      return undefined;
    }
  };

  const eachBatch = async ({ batch, resolveOffset, isStale }: EachBatchPayload): Promise<void> => {
    const { partition } = batch;
    const deliveries: Delivery[] = [];
    let readTo: string | undefined;
    for (const message of batch.messages) {
      if (stopped || isStale()) break;
      try {
        const delivery = await read(partition, message);
        if (delivery !== undefined) deliveries.push(delivery);
        readTo = message.offset;
      } catch (error) {
        log.warn(
          { partition, offset: message.offset, reason: (error as Error).message },
          "a command can't be read now; its partition waits",
        );
        tryLater(partition);
        break;
      }
    }
    if (deliveries.length > 0) await arrive(deliveries);
    if (readTo !== undefined) resolveOffset(readTo);
    limit();
  };

  let timer: NodeJS.Timeout | undefined;
  const commitSoon = (): void => {
    timer ??= setTimeout(() => {
      timer = undefined;
      void commit();
    }, commitMs);
  };
  let committing: Promise<void> | undefined;
  const commit = async (): Promise<void> => {
    await committing;
    const done = offsets.committable();
    if (done.length === 0 || !joined) return;
    committing = consumer.commitOffsets(done.map((one) => ({ topic, ...one }))).then(
      () => offsets.committed(done),
      (error: Error) => {
        // Where no later try comes either, it comes again, and is answered from its step row.
        log.warn({ reason: error.message }, "offsets were not committed");
        commitSoon();
      },
    );
    await committing;
  };

  await consumer.connect();
  await consumer.subscribe({ topics: [topic], fromBeginning: true });
  const running = await runConsumer(
    consumer,
    {
      autoCommit: false,
      eachBatchAutoResolve: false,
      partitionsConsumedConcurrently: shards,
      eachBatch,
    },
    { log, onLost: options.fatal },
  );
  return {
    check: running.check,
    pause() {
      stopped = true;
      if (assigned.length > 0) consumer.pause([{ topic, partitions: [...assigned] }]);
    },
    async close() {
      for (const retry of retries.values()) clearTimeout(retry);
      running.stop();
      await commit();
      clearTimeout(timer);
      await consumer.disconnect();
    },
  };
};

const codeOf = (error: UndecodableMessage | UnusableCommand): string =>
  error instanceof UndecodableMessage ? error.reason : error.code;
