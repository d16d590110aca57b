import { changedMeanwhile } from "../../saga/acts.ts";
import { askerOf } from "../asker.ts";
import type { ApiContext } from "../context.ts";
import { versionIn } from "../etag.ts";
import { putIntoInbox } from "../inbox-row.ts";
import { noSuchSaga, Problem } from "../problem.ts";
import { findSagaPlace } from "../saga-store.ts";
import { actAnswerSchema, actHeadersSchema, actSchema, problemSchema, sagaParamsSchema } from "../schemas.ts";
import { unstorableField } from "../storable.ts";
import type { Api } from "../zod-types.ts";

const acts = {
  retry: "Run the failed step (or every failed one) again",
  resume: "Go on from where it stopped",
  abort: "Undo everything that was commanded",
} as const;

type Act = keyof typeof acts;

const schemaOf = (summary: string) => ({
  tags: ["acts"],
  summary,
  params: sagaParamsSchema,
  headers: actHeadersSchema,
  body: actSchema,
  response: {
    200: actAnswerSchema.meta({ description: "the act was applied" }),
    202: actAnswerSchema.meta({
      description: "the act waits for the shard's owner: see /v1/inbox/{inboxId}",
    }),
    400: problemSchema,
    401: problemSchema,
    404: problemSchema,
    409: problemSchema.meta({ description: "the saga moved on; `state` says to where" }),
    412: problemSchema.meta({
      description: "it is not as it was when its ETag was given; `state` says what it is",
    }),
  },
});

/** POST /v1/sagas/{id}/retry, resume and abort: rows in the inbox of the tenant's shard. */
export const actRoutes = (app: Api, context: ApiContext): void => {
  for (const act of Object.keys(acts) as Act[]) addAct(app, context, act);
};

const addAct = (app: Api, context: ApiContext, act: Act): void => {
  app.post(`/v1/sagas/:sagaId/${act}`, { schema: schemaOf(acts[act]) }, async (request, reply) => {
    const { params, headers, body } = request;
    if (body.step !== undefined && act !== "retry") throw stepIsForRetry(act);
    const field = unstorableField(body);
    if (field !== undefined)
      throw new Problem(400, "request-malformed", `${field}: has a zero byte`, "remove it", { field });
    const saga = await findSagaPlace(context.db, params.sagaId);
    if (saga === undefined) throw noSuchSaga(params.sagaId);
    const asker = askerOf(request);
    const ifVersion = versionIn(headers["if-match"]);
    const inboxId = await putIntoInbox(context.db, saga.shard, {
      kind: "act",
      act,
      sagaId: params.sagaId,
      tenantId: saga.tenantId,
      ...(body.step === undefined ? {} : { step: body.step }),
      ...(ifVersion === undefined ? {} : { ifVersion }),
      ...asker,
      reason: body.reason,
    });
    const result = await context.inbox.resultOf(inboxId, context.waitMs);
    const ids = { inboxId, sagaId: params.sagaId, tenantId: saga.tenantId };
    context.log.info(
      { ...ids, saga: params.sagaId, tenant: saga.slug, act, by: asker.by, result },
      "an operator acted",
    );

    if (result === undefined)
      return reply
        .code(202)
        .header("location", `/v1/inbox/${inboxId}`)
        .send({ ...ids, status: "waiting" });
    if (!result.ok && result.code === "saga-unknown") throw noSuchSaga(params.sagaId);
    if (!result.ok)
      throw new Problem(
        result.code === changedMeanwhile ? 412 : 409,
        result.code,
        `${act} of the saga of ${saga.slug} was refused: ${result.message}`,
        `look at GET /v1/sagas/${params.sagaId}: it is ${result.state ?? "elsewhere"} now`,
        { ...ids, ...(result.state === undefined ? {} : { state: result.state }) },
      );
    return reply.code(200).send({ ...ids, status: result.status });
  });
};

const stepIsForRetry = (act: Act): Problem =>
  new Problem(400, "request-malformed", `step: ${act} takes none`, "leave it out; only retry takes a step", {
    field: "step",
  });
