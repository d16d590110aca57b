import {
  shardOf,
  slugOf,
  specOf,
  storageRequestOf,
  type TenantProvisioningRequested,
  tenantIdOf,
} from "@deeplens/contracts";
import { askerOf } from "../asker.ts";
import type { ApiContext } from "../context.ts";
import { putIntoInbox } from "../inbox-row.ts";
import { refuseUnknownCredentials } from "../known-credentials.ts";
import { Problem } from "../problem.ts";
import { refusalOf } from "../refusal.ts";
import { acceptedSchema, problemSchema, requestHeadersSchema, tenantRequestSchema } from "../schemas.ts";
import { unstorableField } from "../storable.ts";
import type { Api } from "../zod-types.ts";

const schema = {
  tags: ["tenants"],
  summary: "Request a tenant",
  headers: requestHeadersSchema,
  body: tenantRequestSchema,
  response: {
    200: acceptedSchema.meta({ description: "this request had been made before: the same answer" }),
    202: acceptedSchema.meta({ description: "the request was taken, its saga runs" }),
    400: problemSchema,
    401: problemSchema,
    409: problemSchema.meta({ description: "the name is taken, or the key was used for another request" }),
    422: problemSchema.meta({ description: "a field breaks a rule" }),
  },
};

/** POST /v1/tenants: what an upstream service publishes on Kafka, by HTTP. */
export const tenantRequestRoutes = (app: Api, context: ApiContext): void => {
  const source = `/${context.installation}/api`;

  app.post("/v1/tenants", { schema }, async (asked, reply) => {
    const { headers, body } = asked;
    const request: TenantProvisioningRequested = {
      requestId: headers["idempotency-key"],
      name: body.name,
      tier: body.tier,
      storage: storageRequestOf(body.storage),
      administrator: body.administrator,
      requestedAt: new Date().toISOString(),
    };
    refuseUnstorable(request);
    const tenantId = tenantIdOf(source, request.requestId);
    const spec = specOf(request);
    // One that was made before gets the answer that it got.
    if (spec.ok && spec.spec.storage.type === "byos" && !(await wasMade(context, source, request.requestId)))
      await refuseUnknownCredentials(context.dropOffs, spec.spec.storage, tenantId);
    const named = slugOf(request.name);
    const slug = named.ok ? named.slug : "";
    // A name that gives no slug is refused by a shard's owner too, so that the refusal is remembered.
    const shard = shardOf(named.ok ? slug : request.name, context.shards);
    const inboxId = await putIntoInbox(context.db, shard, {
      kind: "request",
      source,
      request,
      ...askerOf(asked),
    });
    const result = await context.inbox.resultOf(inboxId, context.waitMs);
    context.log.info(
      { tenant: slug, tenantId, inboxId, requestId: request.requestId, result },
      "a tenant was requested",
    );

    if (result === undefined)
      return reply
        .code(202)
        .header("location", `/v1/inbox/${inboxId}`)
        .send({ tenantId, slug, sagaId: null, status: "waiting", repeated: false, inboxId });
    if (!result.ok) throw refusalOf(result, request.name, tenantId);
    return reply
      .code(result.repeated ? 200 : 202)
      .header("location", `/v1/sagas/${result.sagaId}`)
      .send({
        tenantId: result.tenantId,
        slug,
        sagaId: result.sagaId,
        status: result.status,
        repeated: result.repeated,
        inboxId,
      });
  });
};

const wasMade = async ({ db }: ApiContext, source: string, requestId: string): Promise<boolean> => {
  const { rows } = await db.pool.query(
    `SELECT FROM ${db.tables.requests} WHERE source = $1 AND request_id = $2`,
    [source, requestId],
  );
  return rows.length > 0;
};

// Postgres keeps no zero byte and no half of a surrogate pair in JSON, so such a request can't be put anywhere. Every
// text that may hold one breaks a rule as well; the same request gets the same answer because the rules are the same.
const refuseUnstorable = (request: TenantProvisioningRequested): void => {
  const field = unstorableField(request);
  if (field === undefined) return;
  const spec = specOf(request);
  const rejection = spec.ok
    ? { code: "text-invalid", message: `${field}: has a zero byte or half of a surrogate pair` }
    : spec.rejection;
  throw new Problem(422, rejection.code, rejection.message, "correct the field and send a new request", {
    field,
  });
};
