/** What the Identity API keeps. One behaviour suite binds the memory (here) and Postgres (postgres-store.ts). */
import { randomUUID } from "node:crypto";

export type ProvisionRequest = {
  tenantName: string;
  databaseName: string;
  adminEmail: string;
  adminPassword: string;
  adminFirstName: string;
  adminLastName: string;
  qdrantHttpPort: number;
  qdrantGrpcPort: number;
  minioEndpoint?: string | null | undefined;
  minioBucket?: string | null | undefined;
};

export type Tenant = {
  id: string;
  name: string;
  slug: string;
  databaseName: string;
  qdrantHttpPort: number;
  qdrantGrpcPort: number;
  minioEndpoint: string;
  minioBucket: string;
  createdAt: Date;
};
export type User = {
  id: string;
  tenantId: string;
  email: string;
  passwordHash: string;
  firstName: string;
  lastName: string;
  role: "TenantOwner";
};
export type UserOfTenant = User & { tenantSlug: string; tenantName: string };

export interface IdentityStore {
  /**
   * Puts the tenant and its only user in the place of whatever had that slug, all at once. `email-taken` (and nothing is
   * changed) when a user of another slug's tenant has the e-mail address.
   */
  replace(tenant: Tenant, user: User): Promise<"done" | "email-taken">;
  tenant(slug: string): Promise<Tenant | undefined>;
  /** The user of that e-mail address, in whatever case it is written. */
  user(email: string): Promise<UserOfTenant | undefined>;
  /** The private signing key as PEM; made by `make` and kept the first time, the same ever after. */
  signingKey(make: () => Promise<string>): Promise<string>;
}

/** The rows that a request asks for. Unset MinIO fields become what the reference puts there. */
export const rowsOf = (
  request: ProvisionRequest,
  slug: string,
  passwordHash: string,
  now: Date,
): { tenant: Tenant; user: User } => {
  const tenant: Tenant = {
    id: randomUUID(),
    name: request.tenantName,
    slug,
    databaseName: request.databaseName,
    qdrantHttpPort: request.qdrantHttpPort,
    qdrantGrpcPort: request.qdrantGrpcPort,
    minioEndpoint: request.minioEndpoint ?? "localhost:9000",
    minioBucket: request.minioBucket ?? slug,
    createdAt: now,
  };
  const { adminEmail: email, adminFirstName: firstName, adminLastName: lastName } = request;
  const user: User = {
    id: randomUUID(),
    tenantId: tenant.id,
    email,
    passwordHash,
    firstName,
    lastName,
    role: "TenantOwner",
  };
  return { tenant, user };
};

/** A store in memory: for tests. */
export const createMemoryStore = (): IdentityStore => {
  const tenants = new Map<string, { tenant: Tenant; user: User }>();
  let key: Promise<string> | undefined;
  const holderOf = (email: string) =>
    [...tenants.values()].find(({ user }) => user.email.toLowerCase() === email.toLowerCase());
  return {
    replace: async (tenant, user) => {
      const holder = holderOf(user.email);
      if (holder !== undefined && holder.tenant.slug !== tenant.slug) return "email-taken";
      tenants.set(tenant.slug, { tenant, user });
      return "done";
    },
    tenant: async (slug) => tenants.get(slug)?.tenant,
    user: async (email) => {
      const found = holderOf(email);
      return found && { ...found.user, tenantSlug: found.tenant.slug, tenantName: found.tenant.name };
    },
    signingKey: (make) => {
      key ??= make();
      return key;
    },
  };
};
