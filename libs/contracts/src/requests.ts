import type { TenantProvisioningRequested } from "./generated/messages.ts";
import { type Slug, slugOf } from "./slug.ts";
import type { StorageModel } from "./storage-model.ts";
import { storageOf } from "./storage-rules.ts";
import { type TierName, tierNames, tierOf } from "./tiers.ts";

/** What a tenant is to become: the checked content of a request. */
export interface TenantSpec {
  readonly name: string;
  readonly slug: Slug;
  readonly tier: TierName;
  readonly storage: StorageModel;
  readonly administrator: { readonly email: string; readonly firstName: string; readonly lastName: string };
}

/** Why a request is refused before any worker is asked: `code` for programs, `message` names field, rule and remedy. */
export interface RequestRejection {
  readonly code: string;
  readonly message: string;
}

export type SpecResult = { ok: true; spec: TenantSpec } | { ok: false; rejection: RequestRejection };

const email = /^[^\s@<>"',;:\\]+@[^\s@<>"',;:\\]+\.[^\s@<>"',;:\\]+$/;
const hasInvisible = /[\p{Cc}\p{Cf}\p{Co}\p{Cs}]/u;

/** Checks a request for a tenant; the one place where its rules stand, for Kafka, the API and the command line. */
export const specOf = (request: TenantProvisioningRequested): SpecResult => {
  const slug = slugOf(request.name);
  if (!slug.ok) return { ok: false, rejection: slug.rejection };
  const tier = tierOf(request.tier);
  if (tier === undefined)
    return reject(
      "tier-unknown",
      `tier: ${JSON.stringify(request.tier.slice(0, 60))} is none of ${tierNames.join(", ")}`,
    );
  const storage = storageOf(request.storage);
  if (!storage.ok) return storage;
  const { email: address, firstName, lastName } = request.administrator;
  if (address.length > 254 || !email.test(address) || hasInvisible.test(address))
    return reject(
      "administrator-email",
      "administrator.email: is no e-mail address; give one like name@example.com",
    );
  for (const [field, value] of [
    ["firstName", firstName],
    ["lastName", lastName],
  ] as const)
    if (value.trim() === "" || value.length > 100 || hasInvisible.test(value))
      return reject("administrator-name", `administrator.${field}: must have 1 to 100 visible characters`);
  return {
    ok: true,
    spec: {
      name: request.name,
      slug: slug.slug,
      tier,
      storage: storage.storage,
      administrator: { email: address, firstName, lastName },
    },
  };
};

const reject = (code: string, message: string): SpecResult => ({ ok: false, rejection: { code, message } });
