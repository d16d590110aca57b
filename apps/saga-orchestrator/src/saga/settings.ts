import { createHash } from "node:crypto";

/** How patient a saga is. All in milliseconds but the attempts. */
export interface SagaSettings {
  /** Tries of a step, and of its undo, before it has failed for good. */
  readonly attempts: number;
  readonly backOffMs: number;
  readonly backOffMaxMs: number;
  /** How long a command may wait for a worker to begin. */
  readonly waitMs: number;
  /** How long the work may take once it was begun. */
  readonly workMs: number;
  /** How long after a rollback an effect that was under way may still land: longer than the longest call of a worker. */
  readonly settleMs: number;
  /** How long a removal waits before it purges, where it was told nothing else. */
  readonly graceMs: number;
  /** How long old and new credentials are good together, where a rotation was told nothing else. */
  readonly overlapMs: number;
  /** How long the name of a removed tenant is held. */
  readonly slugHeldMs: number;
  /** How long what a restore replaced is kept. */
  readonly replacedKeptMs: number;
}

export const defaultSettings: SagaSettings = {
  attempts: 5,
  backOffMs: 2_000,
  backOffMaxMs: 120_000,
  waitMs: 600_000,
  workMs: 300_000,
  settleMs: 180_000,
  graceMs: 7 * 86_400_000,
  overlapMs: 86_400_000,
  slugHeldMs: 30 * 86_400_000,
  replacedKeptMs: 7 * 86_400_000,
};

// Steep: the first tries follow soon after a short hiccup, and five of them still outlast the restart of a service
// (docs/decisions/0014-five-attempts-outlast-a-restart.md).
const growth = 5;
// No wait is shorter than this part of its step: what the attempts outlast together can be relied on.
const surePart = 0.75;

/**
 * Exponential back-off with jitter: between three quarters and the whole of `backOffMs * 5^(attempt - 1)`, at most
 * `backOffMaxMs`. The jitter follows from the saga, the step and the attempt, so the same input gives the same time.
 */
export const backOffOf = (settings: SagaSettings, sagaId: string, step: string, attempt: number): number => {
  const whole = Math.min(settings.backOffMs * growth ** (attempt - 1), settings.backOffMaxMs);
  const fraction =
    createHash("sha256").update(`${sagaId}/${step}/${attempt}`).digest().readUInt32BE(0) / 2 ** 32;
  return Math.round(whole * (surePart + fraction * (1 - surePart)));
};
