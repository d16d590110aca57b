import type { TenantRequest } from "@deeplens/client";
import { slugOf, specOf, tierNames, tiers } from "@deeplens/contracts";
import { input, select } from "@inquirer/prompts";
import { Refused } from "./refused.ts";
import type { Session } from "./session.ts";

export interface WishOptions {
  readonly tier?: string;
  readonly storage?: string;
  readonly adminEmail?: string;
  readonly adminName?: string;
}

const gib = 1024 ** 3;

/**
 * The request that a person means: by flags, and by asking for what they left open where somebody can be asked.
 *
 * @throws Refused naming every flag that is missing, where nobody can be asked
 */
export const wishOf = async (
  { options, world, out }: Session<WishOptions>,
  name: string,
): Promise<TenantRequest> => {
  const missing = (Object.keys(flags) as (keyof WishOptions)[]).filter(
    (option) => options[option] === undefined,
  );
  if (missing.length > 0 && (!world.interactive || out.json))
    throw new Refused(
      "flags-missing",
      `nobody can be asked here, and these flags are missing: ${missing.map((option) => flags[option]).join(", ")}`,
      "give them, or run it on a terminal",
    );
  // Before the first question: a name that can't be is no reason to answer five of them.
  const slug = slugOf(name);
  if (!slug.ok) throw new Refused(slug.rejection.code, slug.rejection.message, "choose another name");
  const tier = options.tier ?? (await askTier());
  const storage = options.storage ?? (await askStorage());
  const email =
    options.adminEmail ?? (await input({ message: "Administrator's e-mail address", required: true }));
  const fullName =
    options.adminName ?? (await input({ message: "Administrator's first and last name", required: true }));
  const wish = {
    name,
    tier,
    storage: { type: storage },
    administrator: { email: email.trim(), ...split(fullName) },
  };
  return checked(wish);
};

const flags: Readonly<Record<keyof WishOptions, string>> = {
  tier: "--tier",
  storage: "--storage",
  adminEmail: "--admin-email",
  adminName: "--admin-name",
};

const askTier = (): Promise<string> =>
  select({
    message: "Tier",
    choices: tierNames.map((tier) => ({
      value: tier,
      name: `${tier} (${tiers[tier].storageBytes / gib} GiB, ${tiers[tier].users} users)`,
    })),
  });

const askStorage = (): Promise<string> =>
  select({
    message: "Where do its objects live?",
    choices: [
      { value: "deeplens", name: "deeplens: a bucket of its own on the shared MinIO" },
      { value: "none", name: "none: it needs no bucket" },
      { value: "byos", name: "byos: its own S3, Azure or GCS", disabled: "(not in this version)" },
    ],
  });

const split = (fullName: string): { firstName: string; lastName: string } => {
  const [firstName = "", ...rest] = fullName.trim().split(/\s+/);
  return { firstName, lastName: rest.join(" ") };
};

// The same rules as the orchestrator's, so a slip is told at once; what counts is its answer.
const checked = (wish: TenantRequest): TenantRequest => {
  const spec = specOf({
    ...wish,
    requestId: "",
    requestedAt: "",
    storage: { type: wish.storage.type, provider: null, credentialRef: null },
  });
  if (spec.ok) return wish;
  throw new Refused(spec.rejection.code, spec.rejection.message, "correct it and run it again");
};
