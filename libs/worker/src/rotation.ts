import { type Login, otherLogin } from "@deeplens/contracts";
import type { StoredSecret } from "@deeplens/secrets";
import type { LedgerKey } from "./ledger.ts";
import { missing } from "./resource.ts";
import {
  type Operation,
  type OperationCommand,
  type OperationDone,
  type Operations,
  operationDone,
  PermanentStepError,
  type StepContext,
} from "./step.ts";

/**
 * New credentials for one part, with an overlap. `begin` makes them, once for its saga, and old and new ones are good
 * together; `end` ends the old ones; `undo` takes back the new ones that its own saga made (PROTOCOL.md 17). Each proves
 * it with the tenant's own credentials.
 */
export interface Rotation {
  readonly begin: Operation;
  readonly end: Operation;
  readonly undo: Operation;
}

/** Its operations. None is done to a suspended tenant: no credential of it is to be good then. */
export const rotationOperations = ({ begin, end, undo }: Rotation): Operations => ({
  rotate: whileOpen(begin),
  "rotate-end": whileOpen(end),
  "rotate-undo": whileOpen(undo),
});

const whileOpen =
  (operation: Operation): Operation =>
  async (command, context) => {
    const { slug } = command.tenant;
    // A suspend marks what the tenant has, and a resume takes the marks away.
    if ((await context.ledger.owned()).some(({ mark }) => mark !== undefined))
      throw new PermanentStepError(
        "suspended",
        `tenant ${slug} is suspended: its credentials are not rotated before it is resumed (tenantctl resume ${slug})`,
      );
    return operation(command, context);
  };

/** One command of a rotation. */
export interface Rotating {
  readonly command: OperationCommand;
  readonly context: StepContext;
}

interface Rotated {
  /** What the credential is stored for. */
  readonly purpose: string;
  readonly make?: () => string;
  /** What logs in. */
  keyOf(rotating: Rotating, login: Login): LedgerKey;
  /** What the tenant has when this version is the one to use. */
  outputsOf(rotating: Rotating, stored: StoredSecret): Readonly<Record<string, string>>;
  /** @throws where the credential is answered and was to be refused, or the other way round */
  prove(rotating: Rotating, stored: StoredSecret, expected: "answers" | "refused"): Promise<void>;
}

/** A system that lets one user have two passwords at once. */
export interface TwoPasswords extends Rotated {
  /** Has the user answer to these passwords, the newest first, and to no others. */
  set(rotating: Rotating, passwords: readonly [string, ...string[]]): Promise<void>;
}

/** Rotation where old and new password belong to the same user. */
export const twoPasswords = (system: TwoPasswords): Rotation => ({
  begin: async (command, context) => {
    const rotating = { command, context };
    const fresh = await context.secrets.renew(system.purpose, command.sagaId, system.make);
    const [, older] = await context.secrets.versions(system.purpose);
    await system.set(rotating, older === undefined ? [fresh.value] : [fresh.value, older.value]);
    for (const stored of [fresh, ...(older === undefined ? [] : [older])])
      await system.prove(rotating, stored, "answers");
    return answer(system, rotating, fresh, "both-answer");
  },
  end: async (command, context) => {
    const rotating = { command, context };
    const { newest, older } = await versionsOf(system, rotating);
    await system.set(rotating, [newest.value]);
    await proveEnded(system, rotating, newest, older);
    await context.secrets.removeOlder(system.purpose);
    return answer(system, rotating, newest, "old-refused");
  },
  undo: async (command, context) => {
    const rotating = { command, context };
    const { kept, withdrawn } = await withdraw(system, rotating);
    await system.set(rotating, [kept.value]);
    await proveEnded(system, rotating, kept, withdrawn);
    return answer(system, rotating, kept, "as-it-was");
  },
});

/** A system where a user has one password: a second user has the new one. */
export interface TwoLogins extends Rotated {
  /** Makes this version's user where it is not there, and has it answer, beside the other. */
  open(rotating: Rotating, stored: StoredSecret): Promise<void>;
  /** Takes a user away, with its sessions; one that is not there succeeds. */
  close(rotating: Rotating, login: Login): Promise<void>;
}

/** Rotation where the new password belongs to a second user with the rights of the first; the next one turns back. */
export const twoLogins = (system: TwoLogins): Rotation => ({
  begin: async (command, context) => {
    const rotating = { command, context };
    const fresh = await context.secrets.alternate(system.purpose, command.sagaId, system.make);
    const [, older] = await context.secrets.versions(system.purpose);
    await system.open(rotating, fresh);
    for (const stored of [fresh, ...(older === undefined ? [] : [older])])
      await system.prove(rotating, stored, "answers");
    return answer(system, rotating, fresh, "both-answer");
  },
  end: async (command, context) => {
    const rotating = { command, context };
    const { newest, older } = await versionsOf(system, rotating);
    await system.close(rotating, otherLogin(newest.login));
    await proveEnded(system, rotating, newest, older);
    await context.secrets.removeOlder(system.purpose);
    return answer(system, rotating, newest, "old-refused");
  },
  undo: async (command, context) => {
    const rotating = { command, context };
    const { kept, withdrawn, versions } = await withdraw(system, rotating);
    const other = otherLogin(kept.login);
    // One that has a password is no leftover of this saga's: another rotation is under way.
    if (versions.every(({ login }) => login !== other)) await system.close(rotating, other);
    await proveEnded(system, rotating, kept, withdrawn);
    return answer(system, rotating, kept, "as-it-was");
  },
});

const versionsOf = async (
  { purpose }: Rotated,
  { command, context }: Rotating,
): Promise<{ newest: StoredSecret; older: readonly StoredSecret[]; versions: readonly StoredSecret[] }> => {
  const versions = await context.secrets.versions(purpose);
  const [newest, ...older] = versions;
  if (newest === undefined) throw missing({ kind: "secret", name: purpose }, command.tenant.slug);
  return { newest, older, versions };
};

/** Takes this saga's own version back, where it made one and that was not withdrawn by a try before. */
const withdraw = async (system: Rotated, rotating: Rotating) => {
  const before = await versionsOf(system, rotating);
  await rotating.context.secrets.withdraw(system.purpose, rotating.command.sagaId);
  const { newest: kept, versions } = await versionsOf(system, rotating);
  return { kept, versions, withdrawn: before.newest.reference === kept.reference ? [] : [before.newest] };
};

const proveEnded = async (
  system: Rotated,
  rotating: Rotating,
  kept: StoredSecret,
  ended: readonly StoredSecret[],
): Promise<void> => {
  await system.prove(rotating, kept, "answers");
  for (const stored of ended) await system.prove(rotating, stored, "refused");
};

const answer = (system: Rotated, rotating: Rotating, stored: StoredSecret, outcome: string): OperationDone =>
  operationDone([{ ...system.keyOf(rotating, stored.login), outcome }], system.outputsOf(rotating, stored));

/**
 * The newest version of each login that has one: what is good now, or would be if the tenant were not suspended. Two
 * while credentials are rotated, one at any other time.
 */
export const loginsIn = (versions: readonly StoredSecret[]): readonly StoredSecret[] =>
  versions.filter(({ login }, place) => versions.findIndex((one) => one.login === login) === place);
