import type { StoredSecret } from "@deeplens/secrets";
import { refuseUnmarked } from "./resource.ts";
import type { Operation, OperationCommand, Operations, StepContext } from "./step.ts";

/**
 * A tenant's life after its making, for one part. Suspended is proven: with the tenant's own credentials every way in is
 * refused, its sessions are ended, and nothing is lost. Resume proves the opposite. Purge destroys, data included.
 */
export interface Life {
  readonly suspend: Operation;
  readonly resume: Operation;
  readonly purge: Operation;
}

/**
 * The operations of a life, with the marks that say whose purge may destroy what (PROTOCOL.md 17): a suspend marks with
 * its saga before it does anything, a resume takes every mark away before it opens anything, and a purge begins only
 * where all that the tenant has of the part bears its own saga's mark.
 */
export const lifeOperations = ({ suspend, resume, purge }: Life): Operations => ({
  suspend: async (command, context) => {
    await context.ledger.mark(command.sagaId);
    return suspend(command, context);
  },
  resume: async (command, context) => {
    await context.ledger.mark(undefined);
    return resume(command, context);
  },
  purge: async (command, context) => {
    refuseUnmarked(await context.ledger.owned(), command.tenant.slug, command.sagaId);
    return purge(command, context);
  },
});

/**
 * The credential that a resume opens with: the one that was there, or, where the command says `credentials: new`, one
 * that is made anew for its saga.
 *
 * @returns undefined where there was none and none is to be made
 */
export const credentialOf = async (
  { parameters, sagaId }: OperationCommand,
  { secrets }: StepContext,
  purpose: string,
  make?: () => string,
): Promise<StoredSecret | undefined> => {
  if (parameters.credentials === "new") return secrets.renew(purpose, sagaId, make);
  return (await secrets.read(purpose)) === undefined ? undefined : secrets.ensure(purpose, make);
};

// Operations after which something is gone for ever.
const destructive: readonly string[] = ["purge", "rotate-end", "rotate-undo"];

/**
 * True where nothing of an operation can be had back: it is fenced as an undo is (PROTOCOL.md 11 and 13: its fence is on
 * disk before anything goes, and it ends a session that holds the part beyond its time).
 */
export const destroys = ({ operation }: Pick<OperationCommand, "operation">): boolean =>
  destructive.includes(operation);

/**
 * True for a purge that comes again after the settle time (parameter `purpose: second-look`): what it does not find now is gone
 * for good. Of the first one the intents stay open, as a rollback's do (PROTOCOL.md 14).
 */
export const isSecondLook = ({ parameters }: Pick<OperationCommand, "parameters">): boolean =>
  parameters.purpose === "second-look";
