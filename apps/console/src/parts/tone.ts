/** What a state means to who looks: whether to be content, to wait, to look, or to act. */
export type Tone = "good" | "busy" | "warn" | "bad" | "quiet";

const tones: Readonly<Record<string, Tone>> = {
  // tenants and sagas
  ready: "good",
  done: "good",
  running: "busy",
  provisioning: "busy",
  compensating: "warn",
  waiting: "busy",
  stuck: "bad",
  "rolled-back": "warn",
  undone: "warn",
  removed: "quiet",
  closed: "quiet",
  suspended: "warn",
  removing: "warn",
  // steps
  working: "busy",
  retrying: "warn",
  failed: "bad",
  undoing: "warn",
  untouched: "quiet",
  skipped: "quiet",
  // health
  well: "good",
  ill: "bad",
  degraded: "bad",
  unknown: "quiet",
  // jobs
  paused: "warn",
  aborted: "quiet",
  stopped: "bad",
  succeeded: "good",
  refused: "bad",
};

/** A word that is not known yet is shown as what it is, without a colour. */
export const toneOf = (state: string): Tone => tones[state] ?? "quiet";
