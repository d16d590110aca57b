import type { Slug } from "./slug.ts";
import type { StepName } from "./steps.ts";
import type { TenantId } from "./tenant-id.ts";

// Every name of a tenant's resource is derived here and nowhere else. `-` becomes `_` in Postgres names; a slug has no
// `_`, so the mapping stays one to one.
const underscored = (slug: Slug): string => slug.replaceAll("-", "_");

/** Which of two users of one system: where one can have a single password, old and new ones overlap by a second user. */
export type Login = 1 | 2;
export const otherLogin = (login: Login): Login => (login === 1 ? 2 : 1);
const numbered = (login: Login): string => (login === 1 ? "" : "2");

export const databaseName = (slug: Slug): string => `tenant_${underscored(slug)}_metadata`;
/** What a backup is restored into, beside the live database. */
export const restoredDatabaseName = (slug: Slug): string => `tenant_${underscored(slug)}_restored`;
/** What was the live database before a restored one took its place. */
export const replacedDatabaseName = (slug: Slug): string => `tenant_${underscored(slug)}_replaced`;
export const ownerRoleName = (slug: Slug): string => `tenant_${underscored(slug)}_owner`;
/** Logs in for the tenant; the second one beside the first while credentials are rotated, and in turns from then on. */
export const applicationRoleName = (slug: Slug, login: Login = 1): string =>
  `tenant_${underscored(slug)}_app${numbered(login)}`;

/** Reads everything, for backups: credentials of their own, which a suspension leaves alone. */
export const backupRoleName = (slug: Slug): string => `tenant_${underscored(slug)}_backup`;

export const redisUserName = (slug: Slug): string => `tenant-${slug}`;
/** Not `tenant-<slug>-backup`: that is the user of the tenant `<slug>-backup`. */
export const redisBackupUserName = (slug: Slug): string => `backup-${slug}`;
export const redisKeyPrefix = (slug: Slug): string => `tenant:${slug}:`;

/** Not `tenant-<slug>2`: that is the user of the tenant `<slug>2`. */
export const kafkaUserName = (slug: Slug, login: Login = 1): string => `tenant${numbered(login)}-${slug}`;
/** With its closing dot: without it `acme` would reach `acme-x`. */
export const kafkaPrefix = (installation: string, slug: Slug): string => `${installation}.tenant.${slug}.`;
export const tenantTopicName = (installation: string, slug: Slug): string =>
  `${kafkaPrefix(installation, slug)}events`;

export const bucketName = (installation: string, slug: Slug): string => `${installation}-${slug}`;
/** The policy of a bucket is found by the bucket's own name. */
export const bucketPolicyName = (installation: string, slug: Slug): string => bucketName(installation, slug);

export const networkName = (installation: string): string => `${installation}-network`;
export const containerName = (installation: string, service: TenantService, slug: Slug): string =>
  `${installation}-${service}-${slug}`;
export const volumeName = (installation: string, service: TenantService, slug: Slug): string =>
  `${installation}_${service}_${slug}_data`;

export type TenantService = "qdrant" | "backup";

export const labelNames = {
  tenant: "tenant",
  service: "service",
  tenantId: "deeplens.tenant-id",
  installation: "deeplens.installation",
} as const;

/** The labels of a tenant's container or volume. */
export const tenantLabels = (
  installation: string,
  service: TenantService,
  tenant: { slug: Slug; tenantId: TenantId },
): Record<string, string> => ({
  [labelNames.tenant]: tenant.slug,
  [labelNames.service]: service,
  [labelNames.tenantId]: tenant.tenantId,
  [labelNames.installation]: installation,
});

export const commandTopicSuffix = (step: StepName | string): string => `tenants.commands.${step}`;
