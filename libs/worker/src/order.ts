import {
  type Message,
  parseSlug,
  type Slug,
  type StepName,
  storageOf,
  storageRequestOf,
  type TenantId,
  type TenantRequested,
  type TenantRollbackRequested,
  tierOf,
} from "@deeplens/contracts";
import type { ProvisionCommand, UndoCommand } from "./step.ts";

/** A command as the runtime works with it. */
export interface Order {
  readonly sagaId: string;
  readonly tenantId: TenantId;
  readonly slug: Slug;
  readonly step: StepName;
  readonly fence: number;
  readonly attempt: number;
  readonly workMs: number;
  readonly expiresAt: Date;
  readonly work: Work;
}

export type Work =
  | { readonly kind: "do"; readonly command: ProvisionCommand }
  | { readonly kind: "undo"; readonly command: UndoCommand }
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
 * @throws UnusableCommand where it is no command, is for another step, or names no tenant
 */
export const orderOf = (step: StepName, message: Message): Order => {
  switch (message.record) {
    case "TenantRequested":
      return { ...headOf(step, message.value), work: doing(message.value) };
    case "TenantRollbackRequested":
      return { ...headOf(step, message.value), work: undoing(message.value) };
    default:
      throw new UnusableCommand(`a ${message.record} is no command`);
  }
};

const headOf = (step: StepName, value: TenantRequested | TenantRollbackRequested): Omit<Order, "work"> => {
  const slug = parseSlug(value.slug);
  if (value.step !== step) throw new UnusableCommand(`the command is for step ${value.step}, not ${step}`);
  if (!slug.ok) throw new UnusableCommand(`${JSON.stringify(value.slug)} is no slug`);
  if (!uuid.test(value.tenantId)) throw new UnusableCommand(`the tenant id is no UUID`);
  if (!Number.isSafeInteger(value.fence) || value.fence < 1)
    throw new UnusableCommand(`${value.fence} is no fence`);
  const expiresAt = new Date(value.expiresAt);
  if (Number.isNaN(expiresAt.getTime())) throw new UnusableCommand("expiresAt is no time");
  const { sagaId, fence, attempt, workMs } = value;
  return { ...{ sagaId, fence, attempt, workMs, expiresAt, step }, ...named(value.tenantId, slug.slug) };
};

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

const named = (tenantId: string, slug: Slug): { tenantId: TenantId; slug: Slug } => ({
  tenantId: tenantId as TenantId,
  slug,
});

const doing = (value: TenantRequested): Work => {
  const tier = tierOf(value.tier);
  if (tier === undefined) return unknown(false, `tier ${JSON.stringify(value.tier)} is not known`);
  const storage = storageOf(value.storage ?? storageRequestOf({ type: value.storageType }));
  if (!storage.ok) return unknown(false, storage.rejection.message);
  const { administrator, inputs, name } = value;
  const tenant = { ...named(value.tenantId, value.slug as Slug), name };
  return { kind: "do", command: { tenant, tier, storage: storage.storage, administrator, inputs } };
};

const undoing = (value: TenantRollbackRequested): Work => {
  const { purpose, reason, name } = value;
  if (purpose !== "compensate" && purpose !== "second-look" && purpose !== "sweep")
    return unknown(true, `purpose ${JSON.stringify(purpose)} is not known`);
  const tenant = { ...named(value.tenantId, value.slug as Slug), name };
  return { kind: "undo", command: { tenant, purpose, reason } };
};

const unknown = (undoes: boolean, message: string): Work => ({ kind: "unknown", undoes, message });

/** True for a command that undoes, whatever it means to. */
export const undoes = ({ work }: Order): boolean =>
  work.kind === "undo" || (work.kind === "unknown" && work.undoes);
