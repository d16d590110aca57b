import { createHash } from "node:crypto";
import type { KafkaMessage } from "@deeplens/messaging";
import type { Position } from "../store/shard-rows.ts";

/** SHA-256 of a record's key and value, as hex: what says after a crash that a log is still the same log. */
export const recordHash = (message: Pick<KafkaMessage, "key" | "value">): string => {
  const hash = createHash("sha256");
  for (const part of [message.key, message.value]) {
    hash.update(`${part === null ? -1 : part.length}:`);
    if (part !== null) hash.update(part);
  }
  return hash.digest("hex");
};

/** Where the log of a partition begins, and the offset that its next record will get. */
export interface LogEnds {
  readonly low: number;
  readonly high: number;
}

export type StartPlan =
  | { readonly kind: "start"; readonly at: number }
  /** Begin with the last applied record: its hash must be the stored one. */
  | { readonly kind: "verify"; readonly at: number; readonly hash: string }
  | { readonly kind: "stop"; readonly reason: string };

/** From where a partition is read on, given what was applied and what the log holds (PROTOCOL.md 3). */
export const startPlanOf = (position: Position | undefined, { low, high }: LogEnds): StartPlan => {
  if (position === undefined) return { kind: "start", at: low };
  const { next, hash } = position;
  if (next > high)
    return stop(
      `the log ends at ${high}, but ${next} records were applied: the topic was made again, or restored`,
    );
  if (next < low)
    return stop(
      `the log begins at ${low}, but only what lies below ${next} was applied: records expired unread`,
    );
  return next === low ? { kind: "start", at: next } : { kind: "verify", at: next - 1, hash };
};

const stop = (reason: string): StartPlan => ({ kind: "stop", reason });
