import type { ApiContext } from "../context.ts";
import { pagingOf } from "../cursor.ts";
import { machineSchema } from "../desk-schemas.ts";
import { tagged } from "../etag.ts";
import { chartOf } from "../machine-chart.ts";
import { noSuchSaga, Problem } from "../problem.ts";
import { findSaga, findSagaPlace, listSagas, readHistory } from "../saga-store.ts";
import {
  historyPageSchema,
  historyQuerySchema,
  page,
  problemSchema,
  sagaParamsSchema,
  sagaSchema,
  sagaSummarySchema,
  sagasQuerySchema,
} from "../schemas.ts";
import type { Api } from "../zod-types.ts";

const errors = { 400: problemSchema, 401: problemSchema };

const list = {
  tags: ["sagas"],
  summary: "Sagas, newest first",
  querystring: sagasQuerySchema,
  response: { 200: page(sagaSummarySchema), ...errors },
};
const get = {
  tags: ["sagas"],
  summary: "One saga: its steps, and what it waits for",
  params: sagaParamsSchema,
  response: { 200: sagaSchema, 404: problemSchema, ...errors },
};
const history = {
  tags: ["sagas"],
  summary: "Every event of a saga, oldest first",
  params: sagaParamsSchema,
  querystring: historyQuerySchema,
  response: { 200: historyPageSchema, 404: problemSchema, ...errors },
};

const machine = {
  tags: ["sagas"],
  summary: "The statechart of a saga, read from the machine that runs it, with the way that this one took",
  params: sagaParamsSchema,
  response: { 200: machineSchema, 404: problemSchema, ...errors },
};

// A saga of usual length has some fifty.
const mostEntries = 5_000;

export const sagaRoutes = (app: Api, context: ApiContext): void => {
  const { db, cursors } = context;
  app.get("/v1/sagas", { schema: list }, async ({ query }) => {
    if (query.since !== undefined && query.until !== undefined && query.since >= query.until)
      throw new Problem(400, "filter-senseless", "since: is not before until", "exchange them", {
        field: "since",
      });
    return listSagas(db, query, pagingOf(cursors, "sagas", query));
  });

  app.get("/v1/sagas/:sagaId", { schema: get }, async ({ params }, reply) => {
    const saga = await findSaga(context, params.sagaId);
    if (saga === undefined) throw noSuchSaga(params.sagaId);
    tagged(reply, saga.version);
    return saga;
  });

  app.get("/v1/sagas/:sagaId/machine", { schema: machine }, async ({ params }) => {
    const saga = await findSaga(context, params.sagaId);
    if (saga === undefined) throw noSuchSaga(params.sagaId);
    const entries = await readHistory(db, params.sagaId, 0, mostEntries + 1);
    const state = {
      ...Object.fromEntries(saga.steps.map((step) => [step.step, step.state])),
      course: saga.course,
    };
    const chart = chartOf(saga.kind, state, entries.slice(0, mostEntries), entries.length <= mostEntries);
    if (chart !== undefined) return chart;
    throw new Problem(
      404,
      "machine-unknown",
      `this version has no machine for a saga of kind ${JSON.stringify(saga.kind)}: a newer one wrote it`,
      "ask an orchestrator of that version",
      { sagaId: saga.sagaId },
    );
  });

  app.get("/v1/sagas/:sagaId/history", { schema: history }, async ({ params, query }) => {
    if ((await findSagaPlace(db, params.sagaId)) === undefined) throw noSuchSaga(params.sagaId);
    const entries = await readHistory(db, params.sagaId, query.after, query.limit + 1);
    const items = entries.slice(0, query.limit);
    return { items, next: entries.length > query.limit ? (items.at(-1)?.id ?? null) : null };
  });
};
