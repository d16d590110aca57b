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
export const startPlanOf = ({ next, hash }: Position, { low, high }: LogEnds): StartPlan => {
  if (next === fromBeginning && hash === null) return { kind: "start", at: low };
  if (next > high)
    return stop(
      `the log ends at ${high}, but ${next} records were applied: the topic was made again, or restored`,
    );
  if (next < low)
    return stop(
      `the log begins at ${low}, but only what lies below ${next} was applied: records expired unread`,
    );
  return next === low || hash === null ? { kind: "start", at: next } : { kind: "verify", at: next - 1, hash };
};

/** A position that means "from where the log begins", wherever that is when it is read. */
export const fromBeginning = 0;

/**
 * Why a partition stops that this database has never read, beside a log of replies that has had some: only this
 * installation's commands are replied to, so another database has sent them. Undefined where the installation is new.
 */
export const strangeLogOf = (replies: LogEnds): string | undefined =>
  replies.high === 0
    ? undefined
    : `this database has never read it, and its shard's log of replies has had ${replies.high}: the database is new, was emptied, or is another one's (docs/disaster-recovery.md)`;

const stop = (reason: string): StartPlan => ({ kind: "stop", reason });
