import type { ApiContext } from "../context.ts";
import { decodeCursor } from "../cursor.ts";
import { noSuchSaga } from "../problem.ts";
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

export const sagaRoutes = (app: Api, context: ApiContext): void => {
  const { db } = context;
  app.get("/v1/sagas", { schema: list }, async ({ query }) =>
    listSagas(db, {
      statuses: query.status,
      step: query.step,
      slug: query.slug,
      before: query.cursor === undefined ? undefined : decodeCursor(query.cursor),
      limit: query.limit,
    }),
  );

  app.get("/v1/sagas/:sagaId", { schema: get }, async ({ params }) => {
    const saga = await findSaga(context, params.sagaId);
    if (saga === undefined) throw noSuchSaga(params.sagaId);
    return saga;
  });

  app.get("/v1/sagas/:sagaId/history", { schema: history }, async ({ params, query }) => {
    if ((await findSagaPlace(db, params.sagaId)) === undefined) throw noSuchSaga(params.sagaId);
    const entries = await readHistory(db, params.sagaId, query.after, query.limit + 1);
    const items = entries.slice(0, query.limit);
    return { items, next: entries.length > query.limit ? (items.at(-1)?.id ?? null) : null };
  });
};
