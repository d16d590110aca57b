import type { Logger } from "@deeplens/telemetry";
import type { ConsumerRunConfig } from "kafkajs";
import type { GroupConsumer } from "./connect.ts";
import { askKafka, type GroupMember, leaveGroup } from "./leave-group.ts";
import { createPulse } from "./pulse.ts";

export interface RunningConsumer {
  /** @throws while Kafka does not answer the consumer, or it is not a member of its group; says for how long */
  check(): void;
  /** It is not run again after this; its caller disconnects it. */
  stop(): void;
}

export interface RunConsumerOptions {
  readonly log: Logger;
  /** Told when nothing of the consumer was heard for long although Kafka answers: only a new process can help. */
  readonly onLost?: (error: Error) => void;
  /** Tests only: how Kafka is asked beside the consumer. */
  readonly ask?: {
    readonly leave: (member: GroupMember, signal: AbortSignal) => Promise<void>;
    readonly answers: (signal: AbortSignal) => Promise<void>;
  };
}

const firstWaitMs = 1_000;
const longestWaitMs = 2_000;
const askMs = 5_000;

/**
 * Runs a consumer until it is stopped, through outages. The client begins again by itself after most errors; after one
 * that it takes for final (a group's coordinator that can't be found while the broker starts, say) it is over, whatever
 * `restartOnFailure` says: then it is connected and run again here. Either way it comes back as a new member. The old one
 * is taken out of the group as soon as Kafka answers: else the group would wait for it for a whole session.
 */
export const runConsumer = async (
  consumer: GroupConsumer,
  config: ConsumerRunConfig,
  { log, onLost, ask = askOf(consumer) }: RunConsumerOptions,
): Promise<RunningConsumer> => {
  const ended = new AbortController();
  const pulse = createPulse();
  let member: GroupMember | undefined;

  const takeOut = async (left: GroupMember): Promise<void> => {
    while (!ended.signal.aborted) {
      try {
        await ask.leave(left, AbortSignal.any([ended.signal, AbortSignal.timeout(askMs)]));
        return log.info({ member: left.memberId }, "the consumer's former self left the group");
      } catch {
        // Kafka is away, or its coordinator still reads its log: whatever it is, time alone can help.
        await pause(firstWaitMs);
      }
    }
  };
  const beginAgain = async (): Promise<void> => {
    for (let waitMs = firstWaitMs; !ended.signal.aborted; waitMs = longestWaitMs) {
      await pause(waitMs);
      if (ended.signal.aborted) return;
      try {
        await consumer.connect();
        await consumer.run(watched);
        return;
      } catch (error) {
        log.warn({ reason: (error as Error).message }, "the consumer could not begin again");
        // Half begun it would take the next run for one too many.
        await consumer.disconnect().catch((reason: Error) => log.warn({ reason: reason.message }, "nor end"));
      }
    }
  };
  const watched = pulse.around(config);

  consumer.on(consumer.events.GROUP_JOIN, ({ payload }) => {
    member = { groupId: payload.groupId, memberId: payload.memberId };
    pulse.joined();
  });
  consumer.on(consumer.events.HEARTBEAT, () => pulse.heard());
  consumer.on(consumer.events.CRASH, ({ payload }) => {
    pulse.crashed(payload.error);
    if (ended.signal.aborted) return;
    if (member !== undefined) void takeOut(member);
    member = undefined;
    if (payload.restart) return;
    log.error({ err: payload.error }, "the consumer ended; it is run again");
    void beginAgain();
  });
  const watch = setInterval(async () => {
    const lost = await pulse.lost(() => ask.answers(AbortSignal.timeout(askMs)));
    if (lost === undefined || ended.signal.aborted) return;
    clearInterval(watch);
    log.error({ err: lost }, "the consumer is lost");
    onLost?.(lost);
  }, askMs).unref();

  await consumer.run(watched);
  return {
    check: pulse.check,
    stop: () => {
      ended.abort();
      clearInterval(watch);
    },
  };
};

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms).unref());

const askOf = ({ address }: GroupConsumer): NonNullable<RunConsumerOptions["ask"]> => ({
  leave: (member, signal) => leaveGroup(address, member, signal),
  answers: (signal) => askKafka(address, signal),
});
