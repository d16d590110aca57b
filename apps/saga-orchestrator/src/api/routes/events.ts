import { Readable } from "node:stream";
import type { ApiContext } from "../context.ts";
import { noSuchSaga, Problem } from "../problem.ts";
import { sagaEvents } from "../saga-events.ts";
import { findSagaPlace } from "../saga-store.ts";
import { openEvents, problemSchema, sagaParamsSchema } from "../schemas.ts";
import type { Api } from "../zod-types.ts";

const schema = {
  tags: ["sagas"],
  summary: "Follow a saga by server-sent events",
  description:
    "`history`: an entry of the history, with its id as the event's id (send it as Last-Event-ID to go on after it). `saga`: the saga as it is now, after each change. `end`: the saga came to its end (ready, rolled-back, closed or stuck); the stream ends. Comments are heartbeats.",
  params: sagaParamsSchema,
  headers: openEvents,
  produces: ["text/event-stream"],
  response: { 400: problemSchema, 401: problemSchema, 404: problemSchema, 503: problemSchema },
};

// Each stream costs a small query three times a second.
const mostStreams = 200;

export const eventRoutes = (app: Api, context: ApiContext): void => {
  let streams = 0;

  app.get("/v1/sagas/:sagaId/events", { schema }, async ({ params, headers }, reply) => {
    if ((await findSagaPlace(context.db, params.sagaId)) === undefined) throw noSuchSaga(params.sagaId);
    if (streams >= mostStreams)
      throw new Problem(
        503,
        "streams-too-many",
        `${mostStreams} streams are open`,
        "come again in some seconds",
      );
    streams += 1;
    const gone = new AbortController();
    const body = Readable.from(
      sagaEvents(context, params.sagaId, Number(headers["last-event-id"] ?? 0), gone.signal),
    );
    body.once("close", () => {
      streams -= 1;
      gone.abort();
    });
    return reply
      .header("content-type", "text/event-stream; charset=utf-8")
      .header("cache-control", "no-store")
      .header("x-accel-buffering", "no")
      .send(body as never);
  });
};
