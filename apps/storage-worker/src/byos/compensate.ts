import type { ReceiptLine } from "@deeplens/contracts";
import type { LedgerEntry, StepContext, Tenant } from "@deeplens/worker";
import { credentialsPurpose, locationOf, openPlace, type Place, placeKind, probeKind } from "./place.ts";
import { askingOf, CloudRefusal, CloudUnreachable, markOf, probeKeyOf, probeNameOf } from "./prove.ts";

/**
 * Gives a tenant's own place up: the probe object goes where one may be left, if it is ours; nothing else there is
 * touched. The credentials stay while a probe may still land, for the second look to find it.
 */
export const compensateByos = async (
  tenant: Tenant,
  rows: readonly LedgerEntry[],
  context: StepContext,
): Promise<readonly ReceiptLine[]> => {
  const receipt: ReceiptLine[] = [];
  const noted = rows.some(({ kind }) => kind === probeKind);
  for (const row of rows) {
    if (row.kind === probeKind) receipt.push(await removeProbe(tenant, row, row.name, context));
    else if (!noted && row.facts.proven !== undefined) receipt.push(await removeOfLook(tenant, row, context));
    await context.ledger.gone(row);
    if (row.kind === placeKind) receipt.push({ kind: row.kind, name: row.name, outcome: "given-up" });
  }
  return receipt;
};

// A look that died may have left its object, and left no note of it: no reason to wait for a cloud that is away.
const removeOfLook = async (tenant: Tenant, row: LedgerEntry, context: StepContext): Promise<ReceiptLine> => {
  const name = probeNameOf({ address: row.name }, tenant);
  try {
    return await removeProbe(tenant, row, name, context);
  } catch (error) {
    if (error instanceof CloudUnreachable) return { kind: probeKind, name, outcome: "may-be-left" };
    throw error;
  }
};

const removeProbe = async (
  tenant: Tenant,
  row: LedgerEntry,
  name: string,
  context: StepContext,
): Promise<ReceiptLine> => {
  const line = (outcome: string): ReceiptLine => ({ kind: probeKind, name, outcome });
  const stored = await context.secrets.read(credentialsPurpose);
  if (stored === undefined) return line("not-asked");
  // The address was let through when the probe was written.
  const place = await openPlace(tenant.slug, locationOf(row), stored, { plainHttp: "allow" });
  try {
    return line(await removeOurs(tenant, place, context));
  } catch (error) {
    // Credentials that were refused or revoked can't be made to work from here: what may be left is named, and left.
    if (error instanceof CloudRefusal)
      return line(error.code === "byos-bucket-missing" ? "absent" : "may-be-left");
    throw error;
  } finally {
    place.cloud.close();
  }
};

const removeOurs = async (tenant: Tenant, place: Place, context: StepContext): Promise<string> => {
  const asking = askingOf(context, tenant, place);
  const key = probeKeyOf(place, tenant);
  const look = () => asking("read", (signal) => place.cloud.read(key, signal));
  const found = await look();
  if (found === undefined) return "absent";
  if (!found.startsWith(markOf(tenant))) return "foreign";
  await asking("delete", (signal) => place.cloud.remove(key, signal));
  if ((await look()) !== undefined)
    throw new Error(`the probe object ${key} of tenant ${tenant.slug} is still there after its deletion`);
  return "removed";
};
