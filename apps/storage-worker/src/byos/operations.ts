import {
  type LedgerEntry,
  type Life,
  type OperationCommand,
  operationDone,
  PermanentStepError,
  type StepContext,
} from "@deeplens/worker";
import { compensateByos } from "./compensate.ts";
import {
  credentialsPurpose,
  isByosRow,
  locationOf,
  openPlace,
  type Place,
  placeKind,
  type Reach,
} from "./place.ts";
import { inLedger, prove } from "./prove.ts";

/**
 * The tenant's cloud is its own: nothing there can be closed or destroyed from here. A suspended tenant's credentials
 * are not handed out; a resume proves them; a purge gives them and the place up.
 */
export const byosLife = (reach: Reach): Life => ({
  suspend: async (_command, context) => operationDone(await places(context, "not-ours")),
  resume: async ({ tenant }, context) => {
    await inStoredPlace(tenant.slug, context, reach, (place) =>
      prove(context, tenant, place, inLedger(context, tenant, place)),
    );
    return operationDone(await places(context, "proven"));
  },
  purge: async ({ tenant }, context) => operationDone(await giveUp(tenant, context)),
});

/** Gives the place up, and the credentials when nothing may land there any more. */
export const giveUp = async (
  tenant: OperationCommand["tenant"],
  context: StepContext,
): Promise<Awaited<ReturnType<typeof compensateByos>>> => {
  const receipt = await compensateByos(tenant, (await context.ledger.owned()).filter(isByosRow), context);
  if (!(await context.ledger.owned()).some(isByosRow)) await context.secrets.remove(credentialsPurpose);
  return receipt;
};

/** The tenant's place as its provisioning bound it, opened with its credentials for as long as the work takes. */
export const inStoredPlace = async <T>(
  slug: string,
  context: StepContext,
  reach: Reach,
  work: (place: Place) => Promise<T>,
): Promise<T> => {
  const stored = await context.secrets.read(credentialsPurpose);
  if (stored === undefined) throw gone(slug, "credentials");
  const row = await boundPlace(slug, context);
  const place = await openPlace(slug, locationOf(row), stored, reach);
  try {
    return await work(place);
  } finally {
    place.cloud.close();
  }
};

/** The row of the place that the tenant's provisioning bound. */
export const boundPlace = async (slug: string, context: StepContext): Promise<LedgerEntry> => {
  const row = (await context.ledger.owned()).find(({ kind }) => kind === placeKind);
  if (row === undefined) throw gone(slug, "place");
  return row;
};

const gone = (slug: string, what: string): PermanentStepError =>
  new PermanentStepError(
    "byos-unbound",
    `the storage of tenant ${slug} has no ${what} here; it was never its own, or was given up`,
  );

const places = async (context: StepContext, outcome: string) =>
  (await context.ledger.owned())
    .filter(({ kind }) => kind === placeKind)
    .map(({ kind, name }) => ({ kind, name, outcome }));
