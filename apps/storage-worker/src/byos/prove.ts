import { randomUUID } from "node:crypto";
import { PermanentStepError, type StepContext, type Tenant } from "@deeplens/worker";
import { probePrefix } from "../bucket.ts";
import { fieldOf, type Refusal, type Right } from "./cloud.ts";
import { factsOf, type Place, probeKind } from "./place.ts";

/** How a proof says that its object may be there from now on, and that it is gone. */
interface ProbeNote {
  mayBeThere(): Promise<unknown>;
  isGone(): Promise<unknown>;
}

/** The note of a command: the ledger. */
export const inLedger = (context: StepContext, tenant: Tenant, place: Place): ProbeNote => {
  const row = { kind: probeKind, name: probeNameOf(place, tenant) };
  return {
    mayBeThere: () => context.ledger.intend(row, factsOf(place.location)),
    isGone: () => context.ledger.gone(row),
  };
};

/** The note of a look, which writes nothing here: what a crash leaves the next look removes, or the undo. */
export const noNote: ProbeNote = { mayBeThere: async () => undefined, isGone: async () => undefined };

/**
 * Proves a tenant's own credentials in its place: list, write, read back, compare, delete, of one object under
 * `.deeplens-probe/`. Nothing is written before listing, reading and deleting were seen to be allowed, so a refusal
 * leaves nothing behind.
 *
 * @throws PermanentStepError `byos-...` where the cloud refuses, with the right that is missing in that cloud's words
 */
export const prove = async (
  context: StepContext,
  tenant: Tenant,
  place: Place,
  note: ProbeNote,
): Promise<void> => {
  const { cloud, location } = place;
  const key = probeKeyOf(place, tenant);
  const text = `${markOf(tenant)} ${randomUUID()}\n`;
  const asking = askingOf(context, tenant, place);

  await asking("list", (signal) => cloud.list(`${location.prefix}${probePrefix}`, signal));
  const earlier = await asking("read", (signal) => cloud.read(key, signal));
  if (earlier !== undefined && !earlier.startsWith(markOf(tenant)))
    throw new PermanentStepError(
      "byos-probe-foreign",
      `${place.address} of tenant ${tenant.slug} holds an object ${key} that no probe put there; it was left alone. Move it, then request the tenant again`,
    );
  await asking("delete", (signal) => cloud.remove(key, signal));
  await note.mayBeThere();
  await asking("write", (signal) => cloud.write(key, text, signal));
  const back = await asking("read", (signal) => cloud.read(key, signal));
  // A look may prove the place at the same time, under the same name: a retry finds it done.
  if (back !== text && back?.startsWith(markOf(tenant)) === true)
    throw new Error(`${place.address} of tenant ${tenant.slug} is being proven by another process as well`);
  if (back !== text)
    throw new PermanentStepError(
      "byos-changed",
      `${place.address} of tenant ${tenant.slug} gave back ${back === undefined ? "nothing" : "another object"} for what was written a moment before; it can't be used`,
    );
  await asking("delete", (signal) => cloud.remove(key, signal));
  if ((await asking("read", (signal) => cloud.read(key, signal))) !== undefined)
    throw new Error(
      `${place.address} of tenant ${tenant.slug} still gives the probe object after its deletion`,
    );
  await note.isGone();
};

/** The name of a tenant's probe object: one for all tries, so that each finds what another left. */
export const probeKeyOf = ({ location }: Pick<Place, "location">, { tenantId }: Tenant): string =>
  `${location.prefix}${probePrefix}${tenantId}`;

/** The same with the address before it, for the ledger and receipts. */
export const probeNameOf = ({ address }: { readonly address: string }, { tenantId }: Tenant): string =>
  `${address}${probePrefix}${tenantId}`;

/** What a probe object of this tenant begins with. */
export const markOf = ({ tenantId }: Tenant): string => `DeepLens probes the storage of tenant ${tenantId}`;

/** Runs calls that need a right, and says in one way for all clouds what they refuse. */
export const askingOf =
  (context: StepContext, tenant: Tenant, place: Place) =>
  <T>(right: Right, effect: (signal: AbortSignal) => Promise<T>): Promise<T> =>
    context.call(`${right} in ${place.location.provider}`, async (signal) => {
      try {
        return await effect(signal);
      } catch (error) {
        const refusal = place.cloud.refusalOf(error, right);
        throw refusal === undefined
          ? unreachable(tenant, place, error)
          : refused(tenant, place, right, refusal);
      }
    });

/** A refusal of the cloud's own, which no retry mends. */
export class CloudRefusal extends PermanentStepError {}

const refused = (tenant: Tenant, { address }: Place, right: Right, refusal: Refusal): CloudRefusal => {
  const say = (code: string, what: string, next: string): CloudRefusal =>
    new CloudRefusal(code, `${address} of tenant ${tenant.slug} ${what} (it said ${refusal.said}); ${next}`);
  switch (refusal.kind) {
    case "credentials":
      return say(
        "byos-credentials-refused",
        "does not take the credentials",
        "drop off ones that are valid and not expired, and name them",
      );
    case "right":
      return say(
        "byos-right-missing",
        `does not let these credentials ${verbs[right]}: ${refusal.right} is missing`,
        "grant it in that cloud",
      );
    case "bucket":
      return say(
        "byos-bucket-missing",
        "is not there",
        "make it, or correct its name: nothing is made in a tenant's own cloud",
      );
    case "region":
      return say("byos-region-wrong", "is in another region", "name the bucket's own region");
    case "other":
      return say(
        "byos-refused",
        `refuses to ${verbs[right]}`,
        "see what that means in that cloud's documentation, and mend it there",
      );
  }
};

const verbs: Readonly<Record<Right, string>> = {
  list: "list objects",
  write: "write an object",
  read: "read an object",
  delete: "delete an object",
};

/** A cloud that does not answer, or not as it should; a retry may help. */
export class CloudUnreachable extends Error {
  readonly code = "byos-unreachable";
}

// The error's own text is left out: it may hold whatever answered there, and a signature in an address.
const unreachable = (tenant: Tenant, { address }: Place, error: unknown): CloudUnreachable => {
  const code = ["code", "name", "statusCode", "status"].map((name) => fieldOf(error, name));
  const word = code.find((one) => /^[\w.-]{1,64}$/.test(String(one ?? "")));
  return new CloudUnreachable(
    `${address} of tenant ${tenant.slug} does not answer as it should (${word ?? "no reason given"})`,
  );
};
