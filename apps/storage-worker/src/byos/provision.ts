import type { StorageModel } from "@deeplens/contracts";
import { PermanentStepError, type ProvisionCommand, type StepContext, type StepDone } from "@deeplens/worker";
import {
  credentialsPurpose,
  dropOffExplained,
  factsOf,
  openPlace,
  placeKind,
  provenFacts,
  type Reach,
} from "./place.ts";
import { inLedger, prove } from "./prove.ts";

type Byos = Extract<StorageModel, { type: "byos" }>;

/**
 * Takes the dropped-off credentials as the tenant's, reserves their place for it, and proves them there. Nothing is
 * made in the tenant's own cloud.
 *
 * @returns outputs `provider`, `bucket`, `endpoint`, `secretKeyRef`, and `region`, `prefix`, `pathStyle` where told
 * @throws PermanentStepError `credentials-...` where the tenant can't have them, `byos-...` where they are not enough
 */
export const provisionByos = async (
  { tenant }: ProvisionCommand,
  { location, credentialRef }: Byos,
  context: StepContext,
  reach: Reach,
): Promise<StepDone> => {
  const stored = await context.secrets
    .adopt(credentialRef, credentialsPurpose)
    .catch((error: unknown) =>
      Promise.reject(dropOffExplained(error, tenant.slug, "request the tenant again with that reference")),
    );
  const place = await openPlace(tenant.slug, location, stored.value, reach);
  try {
    const row = { kind: placeKind, name: place.address };
    await context.ledger
      .intend(row, factsOf(location))
      .catch((error: unknown) => Promise.reject(placeTaken(error, place.address, tenant.slug)));
    // The row is the whole of it: there is nothing that could land late.
    await context.ledger.made(row);
    await prove(context, tenant, place, inLedger(context, tenant, place));
    await context.ledger.made(row, provenFacts);
    context.log.info({ place: place.address }, "the tenant's own storage is proven");
    const { provider, bucket, region, prefix, pathStyle } = location;
    return {
      outputs: {
        ...{ provider, bucket, endpoint: place.endpoint, secretKeyRef: stored.reference },
        ...(region === null ? {} : { region }),
        ...(prefix === "" ? {} : { prefix }),
        ...(pathStyle ? { pathStyle: "true" } : {}),
      },
      resources: [row],
    };
  } finally {
    place.cloud.close();
  }
};

const placeTaken = (error: unknown, address: string, slug: string): unknown =>
  error instanceof PermanentStepError && error.code === `${placeKind}-owned-by-other`
    ? new PermanentStepError(
        "byos-place-taken",
        `another tenant of this installation has its objects in ${address}; give tenant ${slug} a bucket or a prefix of its own, and request it again`,
        { cause: error },
      )
    : error;
