import { type RotatedPart, rotatedParts, type StepName } from "@deeplens/contracts";
import { checkTable } from "./table.ts";

/** A step of an act on a tenant that was made. */
export type ActStep = {
  readonly step: string;
  /** The steps that must be done (or left out) before this one is begun. */
  readonly after: readonly string[];
  /** Left out where the tenant has no use for it. */
  readonly when?: (tenant: { readonly storageType: string }) => boolean;
  /** Once it is begun there is no way back. Where several are, they begin together. */
  readonly pivot?: true;
  /** An operator may go on without it, where it failed for good. */
  readonly skippable?: true;
} & (
  | {
      /** Asks a part's worker for an operation. */
      readonly does: "operation";
      readonly part: StepName;
      readonly operation: string;
      readonly parameters?: Readonly<Record<string, string>>;
      /** The operation that undoes it; without one there is nothing to undo. */
      readonly undo?: { readonly operation: string; readonly parameters?: Readonly<Record<string, string>> };
      /** Nothing is asked of it until the steps after it are undone. */
      readonly onlyUndo?: true;
      /** After the settle time it is asked again: whether nothing has landed since. */
      readonly secondLook?: true;
      /** What it puts out is what the tenant has from now on. */
      readonly keepsOutputs?: true;
      /** How long the work may take, in ms, where that is not as long as for any other step. */
      readonly workMs?: number;
    }
  /** Waits for a moment that the saga was told. */
  | { readonly does: "wait" }
  /** A system that has no call for it: the lifecycle event at the end tells it, and the receipt says so. */
  | { readonly does: "tell" }
);

/** An act on a tenant as a table of steps; the machine, the commands and their order of undo follow from it. */
export interface ActTable {
  readonly kind: string;
  /**
   * What a step that failed for good means: the others are undone, or the saga halts until an operator has it go on. From
   * the pivot on it halts in any case.
   */
  readonly onFailure: "undo" | "halt";
  readonly steps: readonly ActStep[];
}

export type OperationStep = Extract<ActStep, { does: "operation" }>;

export const isOperation = (step: ActStep): step is OperationStep => step.does === "operation";

const withStorage = ({ storageType }: { storageType: string }): boolean => storageType !== "none";

type Opening = "suspend" | "resume";
const opposite: Readonly<Record<Opening, Opening>> = { suspend: "resume", resume: "suspend" };

/** The steps that close every way in, or open it, each undone by the opposite. */
const waysIn = (
  operation: Opening,
  undoParameters?: Readonly<Record<string, string>>,
): readonly ActStep[] => {
  const undo = {
    operation: opposite[operation],
    ...(undoParameters === undefined ? {} : { parameters: undoParameters }),
  };
  const step = (part: StepName) => ({ does: "operation", part, operation }) as const;
  const again = `${opposite[operation]}-backup-again`;
  return [
    // The backup's agent has a key of its own, which changes with the vectors': it is given the one that holds after them,
    // whichever way they go.
    { step: again, after: [], ...step("backup"), undo, onlyUndo: true },
    { step: `${operation}-database`, after: [again], ...step("database"), undo, keepsOutputs: true },
    {
      step: `${operation}-storage`,
      after: [again],
      when: withStorage,
      ...step("storage"),
      undo,
      keepsOutputs: true,
    },
    { step: `${operation}-vectors`, after: [again], ...step("vectors"), undo, keepsOutputs: true },
    {
      step: `${operation}-backup`,
      after: [`${operation}-database`, `${operation}-vectors`],
      ...step("backup"),
    },
  ];
};

/** What must be done before every way in is closed, or open. */
const allWays = (operation: Opening): string[] =>
  ["database", "storage", "vectors", "backup"].map((part) => `${operation}-${part}`);

/** Closes every way in. Backups go on. */
export const suspension: ActTable = {
  kind: "suspend",
  onFailure: "undo",
  steps: [...waysIn("suspend"), { step: "tell-identity", after: allWays("suspend"), does: "tell" }],
};

/** Opens every way in again. */
export const resumption: ActTable = {
  kind: "resume",
  onFailure: "undo",
  steps: [...waysIn("resume"), { step: "tell-identity", after: allWays("resume"), does: "tell" }],
};

const purge = (part: StepName, after: readonly string[]) =>
  ({
    step: `purge-${part}`,
    after,
    does: "operation",
    part,
    operation: "purge",
    secondLook: true,
  }) as const;

/** The timer of it is the removal's grace period. */
export const graceStep = "grace";
export const finalBackupStep = "final-backup";
export const identityPurgeStep = "purge-identity";

/**
 * Closes every way in, takes a last backup, waits, and then takes every part away, in the reverse order of its making.
 * Until the first purge was commanded it can be taken back; from then on it only goes forward.
 */
export const removal: ActTable = {
  kind: "remove",
  onFailure: "halt",
  steps: [
    ...waysIn("suspend", { credentials: "new" }),
    {
      step: finalBackupStep,
      after: allWays("suspend"),
      skippable: true,
      does: "operation",
      part: "backup",
      operation: "backup-now",
      workMs: 4 * 3_600_000,
    },
    { step: graceStep, after: [finalBackupStep], does: "wait" },
    // All of them: a step that is left out waits for nothing.
    { ...purge("identity", [...allWays("suspend"), finalBackupStep, graceStep]), pivot: true },
    purge("backup", [identityPurgeStep]),
    { ...purge("storage", [identityPurgeStep]), when: withStorage },
    purge("vectors", ["purge-backup"]),
    purge("database", ["purge-backup"]),
  ],
};

/** An hour is not long for a large database: these may work for so long. */
const longWorkMs = 4 * 3_600_000;

const ofBackups = (operation: string) =>
  ({ does: "operation", part: "backup", operation, workMs: longWorkMs }) as const;

const ofRestores = (operation: string) => ({ does: "operation", part: "database", operation }) as const;

/** What it puts out names the backup of what was live before a restore, or a switch back. */
export const safetyBackupStep = "safety-backup";
/** The step that may take away what an earlier restore put aside. */
export const restoreSwitchStep = "restore-switch";
export const vectorsCheckStep = "check-vectors";

/** Takes a backup, and reads it back. */
export const backingUp: ActTable = {
  kind: "backup",
  onFailure: "undo",
  steps: [{ step: "backup-now", after: [], ...ofBackups("backup-now") }],
};

/** Restores the newest backup for a trial, compares, and leaves nothing of it. */
export const drill: ActTable = {
  kind: "drill",
  onFailure: "undo",
  steps: [{ step: "try-out", after: [], ...ofBackups("drill") }],
};

/** Lists the backups that there are; changes nothing. */
export const backupList: ActTable = {
  kind: "backups",
  onFailure: "undo",
  steps: [{ step: "list-backups", after: [], ...ofBackups("list-backups") }],
};

/**
 * Makes a tenant what a backup holds: checked before anything is touched, after a safety backup, restored and compared
 * beside the live data, and then switched. Undone, the switches are switched back: the vectors to the safety backup.
 */
export const restoration: ActTable = {
  kind: "restore-backup",
  onFailure: "undo",
  steps: [
    { step: "check-backup", after: [], ...ofBackups("check-backup") },
    { step: safetyBackupStep, after: ["check-backup"], ...ofBackups("backup-now") },
    {
      step: "restore-open",
      after: [safetyBackupStep],
      ...ofRestores("restore-open"),
      undo: { operation: "restore-drop" },
    },
    { step: "try-restore", after: ["restore-open"], ...ofBackups("try-restore") },
    {
      step: restoreSwitchStep,
      // Of the opening too: what was opened goes only after the switch was switched back.
      after: ["restore-open", "try-restore"],
      ...ofRestores("restore-switch"),
      keepsOutputs: true,
      undo: { operation: "restore-switch-back" },
    },
    {
      step: "switch-vectors",
      after: [restoreSwitchStep],
      ...ofBackups("switch-vectors"),
      undo: { operation: "switch-vectors-back" },
    },
  ],
};

const limit = (part: StepName, after: readonly string[]) =>
  ({
    step: `tier-${part}`,
    after,
    does: "operation",
    part,
    operation: "tier",
    // Told the tier before.
    undo: { operation: "tier" },
  }) as const;

/** Limits the parts by another tier. The vectors go first: they alone refuse what does not fit into it. */
export const tierChange: ActTable = {
  kind: "tier",
  onFailure: "undo",
  steps: [
    limit("vectors", []),
    limit("database", ["tier-vectors"]),
    { ...limit("storage", ["tier-vectors"]), when: withStorage },
  ],
};

/**
 * Makes a tenant what it was before its last restore, or the last switch back: the database that was put aside and the live
 * one change places, the vectors become what that restore's safety backup holds. It is told that backup, and takes one of
 * its own, so that it can be taken back in the same way.
 */
export const switchingBack: ActTable = {
  kind: "restore-back",
  onFailure: "undo",
  steps: [
    { step: vectorsCheckStep, after: [], ...ofBackups("check-backup"), parameters: { parts: "vectors" } },
    { step: "look-aside", after: [vectorsCheckStep], ...ofRestores("restore-look") },
    { step: safetyBackupStep, after: ["look-aside"], ...ofBackups("backup-now") },
    {
      step: "exchange",
      after: [safetyBackupStep],
      ...ofRestores("restore-exchange"),
      keepsOutputs: true,
      undo: { operation: "restore-exchange-back" },
    },
    {
      step: "switch-vectors",
      after: ["exchange"],
      ...ofBackups("switch-vectors"),
      undo: { operation: "switch-vectors-back" },
    },
  ],
};

/** Drops the database that the last restore put aside: from then on there is no switching back. */
export const endingRestore: ActTable = {
  kind: "restore-end",
  onFailure: "undo",
  steps: [{ step: "drop-replaced", after: [], ...ofRestores("restore-end") }],
};

/**
 * Has a tenant's own storage opened by the credentials that were dropped off for it. The worker proves them before it
 * takes them: where they are refused nothing was changed, so there is nothing to undo.
 */
export const credentialReplacement: ActTable = {
  kind: "replace-credentials",
  onFailure: "undo",
  steps: [
    {
      step: "replace-credentials",
      after: [],
      does: "operation",
      part: "storage",
      operation: "replace-credentials",
      keepsOutputs: true,
    },
  ],
};

const repair = (part: StepName, after: readonly string[]) =>
  ({
    step: `repair-${part}`,
    after,
    does: "operation",
    part,
    operation: "repair",
    keepsOutputs: true,
  }) as const;

/**
 * Makes again what a tenant has lost with one of the services, under the same names and with the same credentials. What is
 * there is left alone, so there is nothing to undo. Identity is not asked: it can't be made again without its users.
 */
export const reparation: ActTable = {
  kind: "repair",
  onFailure: "undo",
  steps: [
    repair("database", []),
    { ...repair("storage", []), when: withStorage },
    repair("vectors", []),
    repair("backup", ["repair-database", "repair-vectors"]),
  ],
};

/** Moves the database to the template of the database worker. What fails changed nothing: there is nothing to undo. */
export const migration: ActTable = {
  kind: "migrate",
  onFailure: "undo",
  steps: [
    {
      step: "migrate-database",
      after: [],
      does: "operation",
      part: "database",
      operation: "migrate",
      keepsOutputs: true,
    },
  ],
};

/** The timer of it is the time in which old and new credentials are good. */
export const overlapStep = "overlap";
const refreshStep = "refresh-backup";
const refreshAgainStep = "refresh-backup-again";

const whereStored = (part: StepName) => (part === "storage" ? { when: withStorage } : {});

/**
 * Gives new credentials, beside the old ones; waits; and ends the old ones. The agent of the backups has the vectors' key:
 * it is given the one that stays. Until the first old one is ended the new ones can be taken back.
 */
export const rotation: ActTable = {
  kind: "rotate",
  onFailure: "undo",
  steps: [
    {
      step: refreshAgainStep,
      after: [],
      does: "operation",
      part: "backup",
      operation: "refresh",
      undo: { operation: "refresh" },
      onlyUndo: true,
    },
    ...rotatedParts.map(
      (part): ActStep => ({
        step: `rotate-${part}`,
        after: part === "vectors" ? [refreshAgainStep] : [],
        ...whereStored(part),
        does: "operation",
        part,
        operation: "rotate",
        undo: { operation: "rotate-undo" },
        keepsOutputs: true,
      }),
    ),
    {
      step: refreshStep,
      after: ["rotate-vectors"],
      does: "operation",
      part: "backup",
      operation: "refresh",
    },
    {
      step: overlapStep,
      after: [...rotatedParts.map((part) => `rotate-${part}`), refreshStep],
      does: "wait",
    },
    ...rotatedParts.map(
      (part): ActStep => ({
        step: `end-${part}`,
        after: [overlapStep],
        ...whereStored(part),
        does: "operation",
        part,
        operation: "rotate-end",
        pivot: true,
      }),
    ),
  ],
};

/** What a rotation of these parts leaves out. */
export const notRotated = (parts: readonly RotatedPart[]): string[] => [
  ...rotatedParts
    .filter((part) => !parts.includes(part))
    .flatMap((part) => [`rotate-${part}`, `end-${part}`]),
  ...(parts.includes("vectors") ? [] : [refreshStep, refreshAgainStep]),
];

export const actTables = [
  suspension,
  resumption,
  removal,
  backingUp,
  drill,
  backupList,
  restoration,
  tierChange,
  switchingBack,
  endingRestore,
  credentialReplacement,
  reparation,
  migration,
  rotation,
] as const;

/** Throws for a table that no machine can be built from: an unknown or circular `after`, or work beside the pivot. */
export const checkActTable = ({ kind, steps }: ActTable): void => {
  checkTable(steps.map(({ step, after }) => ({ step, after })));
  for (const { step: pivot } of steps.filter(isPivot)) {
    const before = ancestorsOf(steps, pivot);
    for (const one of steps)
      if (!isPivot(one) && !before.has(one.step) && !ancestorsOf(steps, one.step).has(pivot))
        throw new Error(`step ${one.step} of ${kind} goes on beside the pivot ${pivot}`);
  }
};

const isPivot = ({ pivot }: ActStep): boolean => pivot === true;

/** Whether the saga halts where the step fails for good: there is no way back from it, or the table says so. */
export const halts = ({ onFailure, steps }: ActTable, one: ActStep): boolean => {
  const before = ancestorsOf(steps, one.step);
  return onFailure === "halt" || isPivot(one) || steps.some((step) => isPivot(step) && before.has(step.step));
};

const ancestorsOf = (steps: readonly ActStep[], step: string): Set<string> => {
  const found = new Set(steps.find((one) => one.step === step)?.after);
  for (const one of [...steps].reverse())
    if (found.has(one.step)) for (const add of one.after) found.add(add);
  return found;
};
