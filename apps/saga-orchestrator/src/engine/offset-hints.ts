import type { Consumer } from "@deeplens/messaging";
import type { Pool } from "@deeplens/postgres";
import type { Logger } from "@deeplens/telemetry";
import { readShards, type Stream, streams } from "../store/shard-rows.ts";
import type { Ownership } from "./ownership.ts";
import type { OnStage } from "./stages.ts";

const everyMs = 5_000;

/** Tells Kafka from time to time how far the shards are: a hint for operators' tools, nothing more. */
export const startOffsetHints = (options: {
  readonly consumer: Pick<Consumer, "commitOffsets">;
  readonly topics: Readonly<Record<Stream, string>>;
  readonly pool: Pool;
  readonly schema: string;
  readonly ownership: Ownership;
  readonly onStage: OnStage;
  readonly log: Logger;
}): { stop(): void } => {
  let told = "";
  const hint = async (): Promise<void> => {
    const shards = [...options.ownership.epochs().keys()];
    if (shards.length === 0) return;
    const rows = await readShards(options.pool, options.schema, shards);
    const offsets = rows.flatMap(({ shard, positions }) =>
      streams.flatMap((stream) => {
        const position = positions[stream];
        return position === undefined
          ? []
          : [{ topic: options.topics[stream], partition: shard, offset: String(position.next) }];
      }),
    );
    const text = JSON.stringify(offsets);
    if (offsets.length === 0 || text === told) return;
    await options.consumer.commitOffsets(offsets);
    told = text;
    options.onStage("hinted");
  };
  const timer = setInterval(() => {
    hint().catch((error: Error) =>
      options.log.warn({ reason: error.message }, "the offsets could not be told to Kafka"),
    );
  }, everyMs);
  return { stop: () => clearInterval(timer) };
};
