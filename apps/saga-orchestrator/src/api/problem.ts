import type { ProblemDetails } from "@deeplens/contracts";

type Extras = Pick<ProblemDetails, "field" | "tenantId" | "sagaId" | "state" | "errors">;

/** An error that is an answer: thrown by a route, sent as application/problem+json. */
export class Problem extends Error {
  readonly body: ProblemDetails;
  /** Fastify reads it. */
  readonly statusCode: number;
  constructor(status: number, code: string, detail: string, next: string, extras: Extras = {}) {
    super(detail);
    this.name = "Problem";
    this.statusCode = status;
    this.body = {
      type: `urn:deeplens:problem:${code}`,
      title: titles[status] ?? "Error",
      status,
      code,
      detail,
      next,
      ...extras,
    };
  }
}

const titles: Readonly<Record<number, string>> = {
  400: "The request is malformed",
  401: "Not authenticated",
  404: "Not found",
  409: "In conflict with the present state",
  403: "Not allowed",
  412: "It is not as it was",
  413: "The request is too large",
  415: "Unsupported media type",
  422: "The request was refused",
  429: "Too many requests",
  500: "Internal error",
  503: "A service that is needed does not answer",
};

export const noSuchTenant = (reference: string): Problem =>
  new Problem(
    404,
    "tenant-not-found",
    `there is no tenant ${JSON.stringify(reference)}`,
    "list the tenants with GET /v1/tenants, or request one with POST /v1/tenants",
  );

export const noSuchSaga = (sagaId: string): Problem =>
  new Problem(
    404,
    "saga-not-found",
    `there is no saga ${sagaId}`,
    "list the sagas with GET /v1/sagas; finished ones are pruned after their retention",
  );
