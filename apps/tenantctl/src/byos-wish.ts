import { byosProviders, type StorageWish } from "@deeplens/contracts";
import { input, select } from "@inquirer/prompts";

/** What the flags say of a tenant's own storage. */
export interface ByosOptions {
  readonly byosProvider?: string;
  readonly byosBucket?: string;
  readonly byosEndpoint?: string;
  readonly byosRegion?: string;
  readonly byosPrefix?: string;
  readonly byosPathStyle?: boolean;
  readonly secret?: string;
}

const needed = { byosProvider: "--byos-provider", byosBucket: "--byos-bucket", secret: "--secret" } as const;

/** The flags that storage of the tenant's own can't do without, and that are missing. */
export const missingByosFlags = (options: ByosOptions): readonly string[] =>
  (Object.keys(needed) as (keyof typeof needed)[])
    .filter((option) => options[option] === undefined)
    .map((option) => needed[option]);

/** True where a flag speaks of storage of the tenant's own. */
export const speaksOfByos = (options: ByosOptions): boolean =>
  Object.keys(options).some((option) => option.startsWith("byos") || option === "secret");

/** The storage that the flags mean; what they left open is asked for where something is missing at all. */
export const storageWishOf = async (type: string, options: ByosOptions): Promise<StorageWish> => {
  const {
    byosEndpoint: endpoint,
    byosRegion: region,
    byosPrefix: prefix,
    byosPathStyle: pathStyle,
  } = options;
  const told = { endpoint, region, prefix, pathStyle };
  const open = type === "byos" && missingByosFlags(options).length > 0;
  const provider = options.byosProvider ?? (open ? await askProvider() : undefined);
  const wish = {
    ...{ type, provider },
    bucket:
      options.byosBucket ??
      (open ? await ask(provider === "azure_blob" ? "Container" : "Bucket") : undefined),
    ...told,
    ...(open && endpoint === undefined && region === undefined ? await askPlace(provider) : {}),
    credentialRef:
      options.secret ?? (open ? await ask("Reference that `tenantctl secret put` gave") : undefined),
  };
  return Object.fromEntries(Object.entries(wish).filter(([, value]) => value !== undefined)) as StorageWish;
};

const askProvider = (): Promise<string> =>
  select({ message: "Whose storage is it?", choices: byosProviders.map((value) => ({ value })) });

const ask = (message: string): Promise<string> => input({ message, required: true });

const askPlace = async (provider: string | undefined): Promise<Partial<StorageWish>> => {
  const endpoint = await input({ message: "Its address (empty: the provider's own)" });
  if (endpoint !== "") return { endpoint };
  return provider === "aws_s3" ? { region: await ask("Region") } : {};
};
