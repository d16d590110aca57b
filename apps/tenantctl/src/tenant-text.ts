import type { Tenant } from "@deeplens/client";
import { columns, moment, shown } from "./text.ts";

const gib = 1024 ** 3;

/** A tenant in words: who it is, what it may, what it has. */
export const describeTenant = (tenant: Tenant): string => {
  const head: string[][] = [
    ["name", shown(tenant.name)],
    ["id", tenant.tenantId],
    ["tier", tierOf(tenant)],
    ["storage", tenant.storageType],
    ["template", `version ${tenant.resources["database.templateVersion"] ?? "unknown"}`],
  ];
  if (tenant.running !== null) head.push(["runs", `${tenant.running.kind} (saga ${tenant.running.sagaId})`]);
  if (tenant.suspended !== null)
    head.push(["suspended", `since ${moment(tenant.suspended.since)}: ${shown(tenant.suspended.reason)}`]);
  if (tenant.rotation !== null)
    head.push([
      "rotation",
      `new credentials (${tenant.rotation.parts.join(", ")}); the old ones are good until ${moment(tenant.rotation.oldUntil)}`,
    ]);
  if (tenant.removal !== null && tenant.state !== "ready") head.push(removalOf(tenant.removal));
  if (tenant.replaced !== null)
    head.push([
      "restored",
      `at ${moment(tenant.replaced.at)}; until ${moment(tenant.replaced.until)} what was live before is kept: tenantctl restore-backup ${tenant.slug} --back`,
    ]);
  if (tenant.degraded !== null)
    head.unshift(["degraded", `${shown(tenant.degraded.reason)} (since ${moment(tenant.degraded.since)})`]);
  const title = `Tenant ${tenant.slug} is ${tenant.state}${tenant.degraded === null ? "" : ", but degraded"}`;
  const parts = [title, columns(head, "  ")];
  if (Object.keys(tenant.resources).length > 0) parts.push("It has", resourcesOf(tenant.resources));
  return parts.join("\n");
};

const removalOf = ({ purgeAt, slugHeldUntil }: NonNullable<Tenant["removal"]>): string[] =>
  slugHeldUntil === null
    ? ["removal", `can be restored until ${moment(purgeAt)}`]
    : ["removal", `its name is held until ${moment(slugHeldUntil)}`];

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
