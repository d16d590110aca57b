import {
  type LedgerEntry,
  type LedgerKey,
  ownedByOther,
  PermanentStepError,
  type ProvisionCommand,
  type StepContext,
  type Tenant,
} from "@deeplens/worker";
import type { IdentityTenant, TenantRequest } from "./identity-api.ts";

/** What the administrator's password is stored under. */
export const passwordPurpose = "identity.administrator";

export const identityKey = ({ slug }: Tenant): LedgerKey => ({ kind: "identity-tenant", name: slug });

/** The fields of the one request for a tenant, the password aside, as its intent in the ledger keeps them. */
export type AskedFields = Readonly<Record<string, string>>;

/**
 * The fields to ask for.
 *
 * @throws PermanentStepError `identity-input-missing`, not asked, where an earlier step did not put out what is needed
 */
export const fieldsOf = ({ tenant, administrator, storage, inputs }: ProvisionCommand): AskedFields => {
  const input = (name: string): string => {
    const value = inputs[name];
    if (value !== undefined && value !== "") return value;
    throw new PermanentStepError(
      "identity-input-missing",
      `the identity step of tenant ${tenant.slug} got no ${name}, which the step before puts out; replay the request`,
      { pivot: "not-asked" },
    );
  };
  return {
    tenantName: tenant.name,
    databaseName: input("database.database"),
    adminEmail: administrator.email,
    adminFirstName: administrator.firstName,
    adminLastName: administrator.lastName,
    qdrantHttpPort: input("vectors.httpPort"),
    qdrantGrpcPort: input("vectors.grpcPort"),
    // What is the tenant's own is no MinIO: the API has no field for it.
    ...(storage.type === "deeplens"
      ? { minioEndpoint: input("storage.endpoint"), minioBucket: input("storage.bucket") }
      : {}),
  };
};

/** The request that an intent stands for. */
export const requestOf = (fields: AskedFields, adminPassword: string): TenantRequest => {
  const field = (name: string): string => {
    const value = fields[name];
    if (value === undefined) throw new Error(`the intent in the ledger lacks ${name}`);
    return value;
  };
  const { minioEndpoint, minioBucket } = fields;
  return {
    tenantName: field("tenantName"),
    databaseName: field("databaseName"),
    adminEmail: field("adminEmail"),
    adminPassword,
    adminFirstName: field("adminFirstName"),
    adminLastName: field("adminLastName"),
    qdrantHttpPort: Number(field("qdrantHttpPort")),
    qdrantGrpcPort: Number(field("qdrantGrpcPort")),
    ...(minioEndpoint === undefined || minioBucket === undefined ? {} : { minioEndpoint, minioBucket }),
  };
};

/** Which of the fields that the API gives back differ from what was asked for; none means that it is that tenant. */
export const differencesOf = (found: IdentityTenant, asked: AskedFields): string[] =>
  [
    ["name", found.name, asked.tenantName],
    ["databaseName", found.databaseName, asked.databaseName],
    ["minioBucket", found.minioBucket, asked.minioBucket],
  ].flatMap(([field, there, wanted]) =>
    there === undefined || wanted === undefined || there === wanted ? [] : [String(field)],
  );

/**
 * This tenant's open intent, or undefined where it has none.
 *
 * @throws PermanentStepError `identity-tenant-owned-by-other`, not asked, where another tenant's is open
 */
export const openIntent = async (context: StepContext, tenant: Tenant): Promise<LedgerEntry | undefined> => {
  const entry = await context.ledger.find(identityKey(tenant));
  if (entry === undefined || entry.state === "gone") return undefined;
  if (entry.owner !== tenant.tenantId) throw notAsked(tenant);
  return entry;
};

/** The error for a tenant of that slug that the Identity API has from somebody else: nothing was asked of it. */
export const notAsked = (tenant: Tenant): PermanentStepError => {
  const { code, message } = ownedByOther(identityKey(tenant), tenant.slug);
  return new PermanentStepError(code, message, { pivot: "not-asked" });
};
