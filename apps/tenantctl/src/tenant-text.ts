import type { Tenant } from "@deeplens/client";
import { columns, shown } from "./text.ts";

const gib = 1024 ** 3;

/** A tenant in words: who it is, what it may, what it has. */
export const describeTenant = (tenant: Tenant): string => {
  const head: string[][] = [
    ["name", shown(tenant.name)],
    ["id", tenant.tenantId],
    ["tier", tierOf(tenant)],
    ["storage", tenant.storageType],
  ];
  const title = `Tenant ${tenant.slug} is ${tenant.state}`;
  const parts = [title, columns(head, "  ")];
  if (Object.keys(tenant.resources).length > 0) parts.push("It has", resourcesOf(tenant.resources));
  return parts.join("\n");
};

const tierOf = ({ tier, limits }: Tenant): string =>
  limits === null
    ? tier
    : `${tier} (${limits.storageBytes / gib} GiB, ${limits.users} users, ${limits.apiCallsPerDay} API calls a day)`;

/** Names and addresses of a tenant's parts, as columns. Keys are `<part>.<name>`. */
export const resourcesOf = (resources: Readonly<Record<string, string>>): string =>
  columns(
    Object.entries(resources)
      .sort(([a], [b]) => a.localeCompare(b))
      .map(([key, value]) => [key, shown(value)]),
    "  ",
  );
