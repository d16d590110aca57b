import type { ByosLocation } from "@deeplens/contracts";
import {
  type Life,
  type Operation,
  type OperationCommand,
  PermanentStepError,
  type StepContext,
} from "@deeplens/worker";
import { compensateByos } from "./compensate.ts";
import { credentialsPurpose, isByosRow, locationOf, openPlace, placeKind, type Reach } from "./place.ts";
import { prove } from "./prove.ts";

/**
 * Whether the tenant's own credentials still do in its own place. That they don't is a finding and no failure:
 * outputs `ok` (`true` or `false`), and `code` and `reason` where it is false.
 */
export const probeByos =
  (reach: Reach): Operation =>
  async (command, context) => {
    try {
      await proveStored(command, context, reach);
      return { outputs: { ok: "true" }, resources: [], receipt: [] };
    } catch (error) {
      if (!(error instanceof PermanentStepError)) throw error;
      return {
        outputs: { ok: "false", code: error.code, reason: error.message },
        resources: [],
        receipt: [],
      };
    }
  };

/**
 * The tenant's cloud is its own: nothing there can be closed or destroyed from here. A suspended tenant's credentials
 * are not handed out; a resume proves them; a purge gives them and the place up.
 */
export const byosLife = (reach: Reach): Life => ({
  suspend: async (_command, context) => ({
    outputs: {},
    resources: [],
    receipt: await places(context, "not-ours"),
  }),
  resume: async (command, context) => {
    await proveStored(command, context, reach);
    return { outputs: {}, resources: [], receipt: await places(context, "proven") };
  },
  purge: async ({ tenant }, context) => ({
    ...{ outputs: {}, resources: [] },
    receipt: await giveUp(tenant, context),
  }),
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

const proveStored = async (
  { tenant }: OperationCommand,
  context: StepContext,
  reach: Reach,
): Promise<void> => {
  const stored = await context.secrets.read(credentialsPurpose);
  if (stored === undefined) throw gone(tenant.slug, "credentials");
  const place = await openPlace(tenant.slug, await storedLocation(tenant.slug, context), stored, reach);
  try {
    await prove(context, tenant, place);
  } finally {
    place.cloud.close();
  }
};

const storedLocation = async (slug: string, context: StepContext): Promise<ByosLocation> => {
  const row = (await context.ledger.owned()).find(({ kind }) => kind === placeKind);
  if (row === undefined) throw gone(slug, "place");
  return locationOf(row);
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
