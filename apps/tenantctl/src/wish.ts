import type { TenantRequest } from "@deeplens/client";
import { slugOf, specOf, storageRequestOf, tierNames, tiers } from "@deeplens/contracts";
import { input, select } from "@inquirer/prompts";
import { type ByosOptions, missingByosFlags, speaksOfByos, storageWishOf } from "./byos-wish.ts";
import { Refused } from "./refused.ts";
import type { Session } from "./session.ts";

export interface WishOptions extends ByosOptions {
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
  const model = options.storage ?? (speaksOfByos(options) ? "byos" : undefined);
  const missing = (Object.keys(flags) as (keyof typeof flags)[])
    .filter((option) => (option === "storage" ? model : options[option]) === undefined)
    .map((option): string => flags[option])
    .concat(model === "byos" ? missingByosFlags(options) : []);
  if (missing.length > 0 && (!world.interactive || out.json))
    throw new Refused(
      "flags-missing",
      `nobody can be asked here, and these flags are missing: ${missing.join(", ")}`,
      "give them, or run it on a terminal",
    );
  // Before the first question: a name that can't be is no reason to answer five of them.
  const slug = slugOf(name);
  if (!slug.ok) throw new Refused(slug.rejection.code, slug.rejection.message, "choose another name");
  const tier = options.tier ?? (await askTier());
  const storage = await storageWishOf(model ?? (await askStorage()), options);
  const email =
    options.adminEmail ??
    (await ask("Administrator's e-mail address", (text) => ({ ...anybody, email: text.trim() })));
  const fullName =
    options.adminName ??
    (await ask("Administrator's first and last name", (text) => ({ ...anybody, ...split(text) })));
  const wish = {
    name,
    tier,
    storage,
    administrator: { email: email.trim(), ...split(fullName) },
  };
  return checked(wish);
};

const flags = {
  tier: "--tier",
  storage: "--storage",
  adminEmail: "--admin-email",
  adminName: "--admin-name",
} as const;

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
      {
        value: "byos",
        name: "byos: its own S3, Azure or Google bucket; its credentials were dropped off before",
      },
    ],
  });

const anybody = { email: "a@b.example", firstName: "A", lastName: "B" };

/** Asks for one text and holds it against the rules at once, with what else a request needs made up. */
const ask = (
  message: string,
  administratorOf: (text: string) => TenantRequest["administrator"],
): Promise<string> =>
  input({
    message,
    required: true,
    validate: (text) => {
      const spec = specFor({
        name: "somebody",
        tier: "free",
        storage: { type: "none" },
        administrator: administratorOf(text),
      });
      return spec.ok || spec.rejection.message;
    },
  });

const split = (fullName: string): { firstName: string; lastName: string } => {
  const [firstName = "", ...rest] = fullName.trim().split(/\s+/);
  return { firstName, lastName: rest.join(" ") };
};

// The same rules as the orchestrator's, so a slip is told at once; what counts is its answer.
const specFor = (wish: TenantRequest) =>
  specOf({
    ...wish,
    requestId: "",
    requestedAt: "",
    storage: storageRequestOf(wish.storage),
  });

const checked = (wish: TenantRequest): TenantRequest => {
  const spec = specFor(wish);
  if (spec.ok) return wish;
  throw new Refused(spec.rejection.code, spec.rejection.message, "correct it and run it again");
};
