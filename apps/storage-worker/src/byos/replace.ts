import { type Operation, operationDone, PermanentStepError } from "@deeplens/worker";
import { boundPlace } from "./operations.ts";
import { credentialsPurpose, dropOffExplained, locationOf, openPlace, type Reach } from "./place.ts";
import { inLedger, prove } from "./prove.ts";

/**
 * Has a tenant's own place opened by other credentials from now on: those dropped off at the parameter `credentialRef`.
 * They are proven where the tenant's objects are before they are taken, so whatever is refused leaves the tenant with the
 * ones that it has; then they are its next version, and the one before is removed.
 *
 * @returns output `secretKeyRef`
 * @throws PermanentStepError `credentials-...` where the tenant can't have them, `byos-...` where they are not enough
 */
export const replaceCredentials =
  (reach: Reach): Operation =>
  async ({ tenant, parameters }, context) => {
    const reference = parameters.credentialRef ?? "";
    const named = <T>(work: Promise<T>): Promise<T> =>
      work.catch((error: unknown) =>
        Promise.reject(dropOffExplained(error, tenant.slug, "name that reference")),
      );
    const bound = await boundPlace(tenant.slug, context);
    const offered = await named(context.secrets.offered(reference));
    // Otherwise a try before this one has proven and taken them.
    if (offered !== undefined) {
      const place = await openPlace(tenant.slug, locationOf(bound), offered, reach);
      try {
        // An account's name is part of an Azure address.
        if (place.address !== bound.name) throw elsewhere(tenant.slug, place.address, bound.name);
        await prove(context, tenant, place, inLedger(context, tenant, place));
      } finally {
        place.cloud.close();
      }
    }
    const taken = await named(context.secrets.adopt(reference, credentialsPurpose));
    await context.secrets.removeOlder(credentialsPurpose);
    context.log.info({ place: bound.name }, "the tenant's own storage has other credentials");
    return operationDone([{ kind: bound.kind, name: bound.name, outcome: "proven" }], {
      secretKeyRef: taken.reference,
    });
  };

const elsewhere = (slug: string, offered: string, bound: string): PermanentStepError =>
  new PermanentStepError(
    "byos-place-differs",
    `these credentials open ${offered}, and the objects of tenant ${slug} are in ${bound}; drop off ones for that place`,
  );
