import { lookNow } from "../../health/look-now.ts";
import { type PartHealth, readHealth } from "../../health/probe-rows.ts";
import type { ApiContext } from "../context.ts";
import { noSuchTenant, Problem } from "../problem.ts";
import { healthSchema, problemSchema, tenantParamsSchema } from "../schemas.ts";
import { findTenant, type TenantView } from "../tenant-store.ts";
import type { Api } from "../zod-types.ts";

const response = { 200: healthSchema, 401: problemSchema, 404: problemSchema };
const known = {
  tags: ["tenants"],
  summary: "What was seen of a tenant's parts when they were looked at last",
  params: tenantParamsSchema,
  response,
};
const anew = {
  tags: ["tenants"],
  summary: "Look at a tenant's parts now, with its own credentials",
  params: tenantParamsSchema,
  response: {
    ...response,
    409: problemSchema.meta({ description: "the tenant is not ready: nothing is to be looked at" }),
  },
};

/** GET and POST /v1/tenants/{tenant}/health. Looking changes nothing, so it is no act and no saga. */
export const healthRoutes = (app: Api, context: ApiContext): void => {
  const { db } = context;
  app.get("/v1/tenants/:tenant/health", { schema: known }, async ({ params }) => {
    const tenant = await findTenant(db, params.tenant);
    if (tenant === undefined) throw noSuchTenant(params.tenant);
    return viewOf(tenant, await readHealth(db.pool, tenant.tenantId));
  });

  app.post("/v1/tenants/:tenant/health", { schema: anew }, async ({ params }) => {
    const tenant = await findTenant(db, params.tenant);
    if (tenant === undefined) throw noSuchTenant(params.tenant);
    if (tenant.state !== "ready") throw notReady(tenant);
    return viewOf(tenant, await lookNow(context, tenant.tenantId));
  });
};

const viewOf = ({ tenantId, slug, state }: TenantView, parts: readonly PartHealth[]) => ({
  tenantId,
  slug,
  state,
  status: statusOf(parts),
  parts: parts.map(({ healthy, checkedAt, since, facts, ...rest }) => ({
    ...rest,
    status: statusOfPart(healthy),
    checkedAt: checkedAt?.toISOString() ?? null,
    since: since?.toISOString() ?? null,
    facts: { ...facts },
  })),
});

type Status = "well" | "ill" | "unknown";

const statusOfPart = (healthy: boolean | null): Status =>
  healthy === null ? "unknown" : healthy ? "well" : "ill";

const statusOf = (parts: readonly PartHealth[]): "well" | "degraded" | "unknown" => {
  if (parts.some(({ healthy }) => healthy === false)) return "degraded";
  return parts.length === 0 || parts.some(({ healthy }) => healthy === null) ? "unknown" : "well";
};

const notReady = ({ tenantId, slug, state }: TenantView): Problem =>
  new Problem(
    409,
    "tenant-not-ready",
    `the tenant ${slug} is ${state}; only a ready one is looked at`,
    "look at GET /v1/tenants/{tenant} for what it waits for",
    { tenantId, state },
  );
