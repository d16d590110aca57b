import type { ApiContext } from "../context.ts";
import { pagingOf } from "../cursor.ts";
import { tagged } from "../etag.ts";
import { noSuchTenant } from "../problem.ts";
import { page, problemSchema, tenantParamsSchema, tenantSchema, tenantsQuerySchema } from "../schemas.ts";
import { findTenant, listTenants } from "../tenant-store.ts";
import type { Api } from "../zod-types.ts";

const list = {
  tags: ["tenants"],
  summary: "Tenants, newest first",
  querystring: tenantsQuerySchema,
  response: { 200: page(tenantSchema), 400: problemSchema, 401: problemSchema },
};
const get = {
  tags: ["tenants"],
  summary: "One tenant, by slug or id",
  params: tenantParamsSchema,
  response: { 200: tenantSchema, 401: problemSchema, 404: problemSchema },
};

export const tenantRoutes = (app: Api, { db, cursors }: ApiContext): void => {
  app.get("/v1/tenants", { schema: list }, async ({ query }) =>
    listTenants(db, query, pagingOf(cursors, "tenants", query)),
  );

  app.get("/v1/tenants/:tenant", { schema: get }, async ({ params }, reply) => {
    const tenant = await findTenant(db, params.tenant);
    if (tenant === undefined) throw noSuchTenant(params.tenant);
    tagged(reply, tenant.revision);
    return tenant;
  });
};
