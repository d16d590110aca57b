import { sqlStateOf } from "@deeplens/postgres";
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { Problem } from "./problem.ts";

/** Makes every error an answer of RFC 9457: thrown problems, what Fastify refuses, unknown paths, and the unexpected. */
export const answerErrors = (app: FastifyInstance): void => {
  app.setErrorHandler((error: FastifyError, request, reply) => {
    const problem = problemOf(error);
    if (problem.statusCode >= 500) request.log.error({ err: error, url: request.url }, "a call failed");
    return send(reply, problem);
  });
  app.setNotFoundHandler((request, reply) => send(reply, noSuchRoute(request)));
};

/** Answers with the problem that an error is. */
export const answerError = (reply: FastifyReply, error: FastifyError): void => {
  void send(reply, problemOf(error));
};

const send = (reply: FastifyReply, problem: Problem): FastifyReply => {
  if (problem.statusCode === 503) void reply.header("retry-after", "5");
  // Not by a serializer: a route's own schemas say nothing of its errors' order.
  return reply
    .code(problem.statusCode)
    .header("content-type", "application/problem+json; charset=utf-8")
    .send(JSON.stringify(problem.body));
};

const noSuchRoute = (request: FastifyRequest): Problem =>
  new Problem(
    404,
    "route-not-found",
    `there is no ${request.method} ${request.url.split("?")[0]}`,
    "see /openapi.json for what there is",
  );

const problemOf = (error: FastifyError): Problem => {
  if (error instanceof Problem) return error;
  switch (error.code) {
    case "FST_ERR_CTP_BODY_TOO_LARGE":
      return new Problem(413, "body-too-large", "the body has more than 64 KiB", "send a smaller one");
    case "FST_ERR_CTP_INVALID_MEDIA_TYPE":
      return new Problem(
        415,
        "media-type-unsupported",
        "the body is no application/json",
        "send JSON, and say so in the header Content-Type",
      );
    case "FST_ERR_CTP_EMPTY_JSON_BODY":
    case "FST_ERR_CTP_INVALID_JSON_BODY":
    case "FST_ERR_CTP_INVALID_CONTENT_LENGTH":
      return new Problem(
        400,
        "body-malformed",
        `the body can't be read: ${error.message}`,
        "send valid JSON",
      );
  }
  if (isUnreachable(error))
    return new Problem(
      503,
      "database-unreachable",
      `the control database does not answer (${error.message})`,
      "nothing was lost: repeat the call (a request with the same Idempotency-Key) in some seconds",
    );
  if (error.statusCode !== undefined && error.statusCode < 500)
    return new Problem(
      error.statusCode,
      "request-malformed",
      error.message,
      "correct the request and send it again",
    );
  return new Problem(
    500,
    "internal",
    "the orchestrator failed at this call; its log says why",
    "repeat the call; if it fails again, look into the orchestrator's log for this time",
  );
};

const connectionCodes = new Set([
  "ECONNREFUSED",
  "ECONNRESET",
  "ENOTFOUND",
  "EAI_AGAIN",
  "ETIMEDOUT",
  "EPIPE",
]);

const isUnreachable = (error: Error & { code?: string }): boolean => {
  const state = sqlStateOf(error);
  // 08: connection exception, 57P: the server is stopping or starting, 53: it has no connection left.
  if (state !== undefined) return /^(08|57P|53)/.test(state);
  return (
    connectionCodes.has(error.code ?? "") ||
    /connection (terminated|timeout)|timeout exceeded when/i.test(error.message)
  );
};
