/** What the exit code says; --help says it too. */
export const exitCodes = {
  /** It is done; for create and watch: the tenant is ready. */
  ok: 0,
  /** It failed: the tenant was rolled back or is stuck, the API does not answer, or something unexpected. */
  failed: 1,
  /** It was refused before anything was done: wrong usage, a rule that was broken, a state that moved on. */
  refused: 2,
  /** doctor and health: something does not work. */
  problems: 3,
  /** doctor: all works, and something will not for long. health: a part's worker has not looked. */
  warnings: 4,
} as const;

export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];

export const exitCodeHelp = `
Exit codes:
  0  done (create and watch: the tenant is ready)
  1  failed: rolled back, undone, stuck, or the API does not answer
  2  refused: wrong usage, a broken rule, or the state moved on
  3  doctor and health: something does not work
  4  doctor: warnings only; health: a part's worker has not looked`;
