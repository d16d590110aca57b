import type { Logger } from "@deeplens/telemetry";
import type { Consumer, ConsumerRunConfig } from "kafkajs";

const firstWaitMs = 1_000;
const longestWaitMs = 10_000;

/**
 * Runs a consumer until it is stopped. The client begins again by itself after most errors; after one that it takes for
 * final (a group's coordinator that can't be found while the broker starts, say) it is over, whatever `restartOnFailure`
 * says. Then it is connected and run again here, after 1 s and up to 10 s.
 */
export const runConsumer = async (
  consumer: Consumer,
  config: ConsumerRunConfig,
  log: Logger,
): Promise<{ stop(): void }> => {
  let stopped = false;
  const beginAgain = async (): Promise<void> => {
    for (let waitMs = firstWaitMs; !stopped; waitMs = Math.min(waitMs * 2, longestWaitMs)) {
      await new Promise((resolve) => setTimeout(resolve, waitMs).unref());
      if (stopped) return;
      try {
        await consumer.connect();
        await consumer.run(config);
        return;
      } catch (error) {
        log.warn({ reason: (error as Error).message }, "the consumer could not begin again");
        // Half begun it would take the next run for one too many.
        await consumer.disconnect().catch((reason: Error) => log.warn({ reason: reason.message }, "nor end"));
      }
    }
  };
  consumer.on(consumer.events.CRASH, ({ payload }) => {
    if (payload.restart || stopped) return;
    log.error({ err: payload.error }, "the consumer ended; it is run again");
    void beginAgain();
  });
  await consumer.run(config);
  return {
    stop: () => {
      stopped = true;
    },
  };
};
