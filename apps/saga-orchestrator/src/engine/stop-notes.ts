import type { Pool } from "@deeplens/postgres";
import type { Logger } from "@deeplens/telemetry";
import { noteStops, streams } from "../store/shard-rows.ts";
import type { Ownership } from "./ownership.ts";

const everyMs = 1_000;

/**
 * Writes into the shard rows why their partitions stopped, so that every orchestrator's API can tell; only when that
 * changed. Being taken over clears the note.
 */
export const startStopNotes = (options: {
  readonly pool: Pool;
  readonly schema: string;
  readonly ownership: Pick<Ownership, "epochs" | "stopped">;
  readonly log: Logger;
}): { stop(): void } => {
  const { pool, schema, ownership, log } = options;
  let told = "";
  const note = async (): Promise<void> => {
    const stopped = ownership.stopped();
    const stops = [...ownership.epochs()].map(([shard, epoch]) => {
      const [requests = null, replies = null] = streams.map((stream) => stopped[`${stream}/${shard}`]);
      return { shard, epoch, requests, replies };
    });
    // Not the epochs alone: what was taken over and never stopped has no note to change.
    const text = JSON.stringify(
      stops.filter(({ requests, replies }) => requests !== null || replies !== null),
    );
    if (text === told || (told === "" && text === "[]")) return;
    await noteStops(pool, schema, stops);
    told = text;
  };
  const timer = setInterval(() => {
    note().catch((error: Error) =>
      log.warn({ reason: error.message }, "why a partition stopped could not be noted; trying again"),
    );
  }, everyMs);
  return { stop: () => clearInterval(timer) };
};
