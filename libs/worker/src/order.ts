import {
  type Message,
  parseSlug,
  type Slug,
  type StepName,
  storageOf,
  storageRequestOf,
  type TenantId,
  type TenantOperationRequested,
  type TenantRequested,
  type TenantRollbackRequested,
  tierOf,
} from "@deeplens/contracts";
import { destroys, isSecondLook } from "./life.ts";
import type { OperationCommand, ProvisionCommand, UndoCommand } from "./step.ts";

/** A command as the runtime works with it. */
export interface Order {
  readonly sagaId: string;
  readonly tenantId: TenantId;
  readonly slug: Slug;
  /** The part that this worker makes: its fence, its lock and its row are the part's. */
  readonly part: StepName;
  /** What the saga calls it; the reply bears it. The part itself, unless an operation was asked for. */
  readonly step: string;
  readonly fence: number;
  readonly attempt: number;
  readonly workMs: number;
  readonly expiresAt: Date;
  readonly work: Work;
}

export type Work =
  | { readonly kind: "do"; readonly command: ProvisionCommand }
  | { readonly kind: "undo"; readonly command: UndoCommand }
  | { readonly kind: "operate"; readonly command: OperationCommand }
  /** A value that this version does not know: answered as a failure that no retry can mend. */
  | { readonly kind: "unknown"; readonly undoes: boolean; readonly message: string };

/** The record is no command that can be answered: to the dead letters. */
export class UnusableCommand extends Error {
  readonly code = "unusable-command";
  constructor(message: string) {
    super(message);
    this.name = "UnusableCommand";
  }
}

/**
 * The order in a decoded record.
 *
 * @throws UnusableCommand where it is no command, is for another part, or names no tenant
 */
export const orderOf = (part: StepName, message: Message): Order => {
  switch (message.record) {
    case "TenantRequested":
      return { ...headOf(part, ofPart(part, message.value)), work: doing(message.value) };
    case "TenantRollbackRequested":
      return { ...headOf(part, ofPart(part, message.value)), work: undoing(message.value) };
    case "TenantOperationRequested":
      return { ...headOf(part, message.value), work: operating(message.value) };
    default:
      throw new UnusableCommand(`a ${message.record} is no command`);
  }
};

// An operation's step is the saga's own word; its part is told by its topic alone.
const ofPart = <V extends TenantRequested | TenantRollbackRequested>(part: StepName, value: V): V => {
  if (value.step !== part) throw new UnusableCommand(`the command is for step ${value.step}, not ${part}`);
  return value;
};

const headOf = (
  part: StepName,
  value: TenantRequested | TenantRollbackRequested | TenantOperationRequested,
): Omit<Order, "work"> => {
  const slug = parseSlug(value.slug);
  if (!slug.ok) throw new UnusableCommand(`${JSON.stringify(value.slug)} is no slug`);
  if (!uuid.test(value.tenantId)) throw new UnusableCommand(`the tenant id is no UUID`);
  if (!Number.isSafeInteger(value.fence) || value.fence < 1)
    throw new UnusableCommand(`${value.fence} is no fence`);
  const expiresAt = new Date(value.expiresAt);
  if (Number.isNaN(expiresAt.getTime())) throw new UnusableCommand("expiresAt is no time");
  const { sagaId, step, fence, attempt, workMs } = value;
  return {
    ...{ sagaId, part, step, fence, attempt, workMs, expiresAt },
    ...named(value.tenantId, slug.slug),
  };
};

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

const named = (tenantId: string, slug: Slug): { tenantId: TenantId; slug: Slug } => ({
  tenantId: tenantId as TenantId,
  slug,
});

const doing = (value: TenantRequested): Work => {
  const { administrator, inputs } = value;
  const storage = storageOf(value.storage ?? storageRequestOf({ type: value.storageType }));
  if (!storage.ok) return unknown(false, storage.rejection.message);
  return withTier(value, (known) => ({
    kind: "do",
    command: { ...known, storage: storage.storage, administrator, inputs },
  }));
};

const operating = (value: TenantOperationRequested): Work => {
  const { sagaId, operation, parameters, inputs, storageType: storage } = value;
  if (storage !== "deeplens" && storage !== "byos" && storage !== "none")
    return unknown(false, `storage ${JSON.stringify(storage)} is not known`);
  return withTier(value, (known) => ({
    kind: "operate",
    command: { ...known, sagaId, operation, parameters, inputs, storage },
  }));
};

type Known = Pick<ProvisionCommand, "tenant" | "tier">;

const withTier = (value: TenantRequested | TenantOperationRequested, work: (known: Known) => Work): Work => {
  const tier = tierOf(value.tier);
  if (tier === undefined) return unknown(false, `tier ${JSON.stringify(value.tier)} is not known`);
  return work({ tenant: { ...named(value.tenantId, value.slug as Slug), name: value.name }, tier });
};

const undoing = (value: TenantRollbackRequested): Work => {
  const { purpose, reason, name } = value;
  if (purpose !== "compensate" && purpose !== "second-look" && purpose !== "sweep")
    return unknown(true, `purpose ${JSON.stringify(purpose)} is not known`);
  const tenant = { ...named(value.tenantId, value.slug as Slug), name };
  return { kind: "undo", command: { tenant, purpose, reason } };
};

const unknown = (undoes: boolean, message: string): Work => ({ kind: "unknown", undoes, message });

/** True for a command that undoes, whatever it means to: it has replies of its own. */
export const undoes = ({ work }: Order): boolean =>
  work.kind === "undo" || (work.kind === "unknown" && work.undoes);

/** True for a command after which something is gone: it is fenced more strictly than one that makes things. */
export const takesAway = (order: Order): boolean =>
  undoes(order) || (order.work.kind === "operate" && destroys(order.work.command));

/**
 * Which look at what is gone a command takes: the `first` (the rollback itself, or a purge), after which something that
 * was under way may still land, or the `last`, after the settle time. Other commands take none.
 */
export const lookOf = ({ work }: Order): "first" | "last" | undefined => {
  if (work.kind === "operate" && destroys(work.command)) return isSecondLook(work.command) ? "last" : "first";
  if (work.kind !== "undo" || work.command.purpose === "sweep") return undefined;
  return work.command.purpose === "second-look" ? "last" : "first";
};
