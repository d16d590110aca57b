import { storageRequestOf } from "@deeplens/contracts";
import { planAct, planRequest } from "../../plans/plan.ts";
import type { ApiContext } from "../context.ts";
import { noSuchTenant, Problem } from "../problem.ts";
import {
  planParamsSchema,
  planSchema,
  planToldSchema,
  problemSchema,
  requestHeadersSchema,
  tenantRequestSchema,
} from "../schemas.ts";
import { unstorableField } from "../storable.ts";
import { findTenant } from "../tenant-store.ts";
import type { Api } from "../zod-types.ts";
import { holdTold } from "./told.ts";

const ofRequest = {
  tags: ["plans"],
  summary: "What a request for a tenant would make, or why it would be refused; nothing is written",
  headers: requestHeadersSchema,
  body: tenantRequestSchema,
  response: { 200: planSchema, 400: problemSchema, 401: problemSchema },
};
const ofAct = {
  tags: ["plans"],
  summary: "What an act on a tenant would do, or why it would be refused; nothing is written",
  params: planParamsSchema,
  body: planToldSchema,
  response: { 200: planSchema, 400: problemSchema, 401: problemSchema, 404: problemSchema },
};

/** POST /v1/plans/create and /v1/tenants/{tenant}/plans/{act}: to be told, and to be asked whether it is meant. */
export const planRoutes = (app: Api, context: ApiContext): void => {
  const source = `/${context.installation}/api`;

  app.post("/v1/plans/create", { schema: ofRequest }, async ({ headers, body }) => {
    refuseUnstorable(body);
    return planRequest(context, source, {
      ...body,
      requestId: headers["idempotency-key"],
      storage: storageRequestOf(body.storage),
      requestedAt: new Date().toISOString(),
    });
  });

  app.post("/v1/tenants/:tenant/plans/:act", { schema: ofAct }, async ({ params, body }) => {
    holdTold(params.act, body);
    refuseUnstorable(body);
    const tenant = await findTenant(context.db, params.tenant);
    if (tenant === undefined) throw noSuchTenant(params.tenant);
    return planAct(context, tenant, params.act, body);
  });
};

const refuseUnstorable = (body: unknown): void => {
  const field = unstorableField(body);
  if (field !== undefined)
    throw new Problem(400, "request-malformed", `${field}: has a zero byte`, "remove it", { field });
};
