import type { TenantId } from "@deeplens/contracts";
import { askerOf } from "../asker.ts";
import { recordAct } from "../audit.ts";
import type { ApiContext } from "../context.ts";
import { noSuchTenant, Problem } from "../problem.ts";
import {
  actorHeadersSchema,
  credentialsSchema,
  problemSchema,
  revealSchema,
  tenantParamsSchema,
} from "../schemas.ts";
import { findTenant } from "../tenant-store.ts";
import type { Api } from "../zod-types.ts";

const schema = {
  tags: ["tenants"],
  summary: "Show a ready tenant's credentials; who asked, and why, is recorded first",
  params: tenantParamsSchema,
  headers: actorHeadersSchema,
  body: revealSchema,
  response: {
    200: credentialsSchema,
    400: problemSchema,
    401: problemSchema,
    404: problemSchema,
    409: problemSchema.meta({ description: "the tenant is not ready: its credentials are not released" }),
  },
};

export const credentialRoutes = (app: Api, { db, credentials, log }: ApiContext): void => {
  app.post("/v1/tenants/:tenant/credentials/reveal", { schema }, async (request, reply) => {
    const { params, body } = request;
    const tenant = await findTenant(db, params.tenant);
    if (tenant === undefined) throw noSuchTenant(params.tenant);
    if (tenant.state !== "ready") throw notReady(tenant);
    const { tenantId, slug, name, resources } = tenant;
    const { by, origin } = askerOf(request);
    const record = (outcome: string): Promise<void> =>
      recordAct(db, {
        actor: by,
        origin,
        action: "credentials.reveal",
        subject: tenantId,
        reason: body.reason,
        outcome,
      });
    const shown = await credentials
      .revealed({ tenantId: tenantId as TenantId, by, reason: body.reason })
      .catch(async (error) => {
        await record("failed");
        throw error;
      });
    await record("shown");
    log.info({ tenant: slug, tenantId, by }, "credentials were shown");
    void reply.header("cache-control", "no-store");
    return {
      tenantId,
      slug,
      name,
      resources,
      secrets: Object.fromEntries(shown.map(({ purpose, value }) => [purpose, value])),
    };
  });
};

const notReady = (tenant: {
  tenantId: string;
  slug: string;
  state: string;
  sagaId: string | null;
}): Problem =>
  new Problem(
    409,
    "tenant-not-ready",
    `the tenant ${tenant.slug} is ${tenant.state}; credentials are released when it is ready`,
    tenant.sagaId === null
      ? "wait until it is ready"
      : `follow its saga at /v1/sagas/${tenant.sagaId}/events`,
    { tenantId: tenant.tenantId, state: tenant.state },
  );
