import type { ByosCredentials, ByosLocation } from "@deeplens/contracts";
import { DropOffError, type LedgerEntry, PermanentStepError } from "@deeplens/worker";
import { type Cloud, endpointOf } from "./cloud.ts";
import { openCloud } from "./open-cloud.ts";

/** What the credentials of a tenant's own storage are stored as. */
export const credentialsPurpose = "storage.byos";

/** The kinds of a tenant's ledger rows: the place that it alone has, and the object that proves it. */
export const placeKind = "byos-place";
export const probeKind = "byos-probe";

export const isByosRow = ({ kind }: LedgerEntry): boolean => kind === placeKind || kind === probeKind;

/** A place of one tenant's own, opened. */
export interface Place {
  readonly location: ByosLocation;
  readonly endpoint: string;
  /** Where it is, for people and for the ledger: `https://s3.example/bucket/prefix/`. */
  readonly address: string;
  readonly cloud: Cloud;
}

/** How the worker may reach places: whether one without TLS is asked at all. */
export interface Reach {
  readonly plainHttp: "allow" | "refuse";
}

/**
 * Opens the place that stored credentials are for; asks nothing yet.
 *
 * @throws PermanentStepError `byos-not-encrypted` for an endpoint without TLS where those are refused, and
 *   `credentials-of-other-kind` where they are another provider's
 */
export const openPlace = async (
  slug: string,
  location: ByosLocation,
  stored: string,
  { plainHttp }: Reach,
): Promise<Place> => {
  const credentials = JSON.parse(stored) as ByosCredentials;
  if (credentials.provider !== location.provider)
    throw new PermanentStepError(
      "credentials-of-other-kind",
      `the credentials of tenant ${slug} are of ${credentials.provider}, and its storage is ${location.provider}; drop the right ones off, and name those`,
    );
  const endpoint = endpointOf(location, credentials);
  if (plainHttp === "refuse" && !endpoint.startsWith("https:"))
    throw new PermanentStepError(
      "byos-not-encrypted",
      `the storage of tenant ${slug} at ${endpoint} has no TLS: its objects and tokens would travel in the open; give an https address, or allow it with BYOS_PLAIN_HTTP=allow`,
    );
  return {
    ...{ location, endpoint },
    address: `${endpoint}/${location.bucket}/${location.prefix}`,
    cloud: await openCloud(location, credentials),
  };
};

/** Why a tenant can't have dropped-off credentials, for an operator; any other error as it is. */
export const dropOffExplained = (error: unknown, slug: string, next: string): unknown =>
  error instanceof DropOffError
    ? new PermanentStepError(
        `credentials-${error.code}`,
        `storage of tenant ${slug}: ${error.message}; drop its own credentials off with \`tenantctl secret put\`, and ${next}`,
        { cause: error },
      )
    : error;

/** A location as the facts of a ledger row, and back: there the undo and the daily probe find it. */
export const factsOf = (location: ByosLocation): Record<string, string> => ({
  location: JSON.stringify(location),
});
/** Of a place where looks may have put probe objects since. */
export const provenFacts = { proven: "true" } as const;
export const locationOf = ({ facts }: LedgerEntry): ByosLocation =>
  JSON.parse(facts.location ?? "null") as ByosLocation;
