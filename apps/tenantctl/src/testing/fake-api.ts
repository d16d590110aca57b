import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { Plan, ProblemDetails, Saga, SagaEvent, SagaStep, Tenant } from "@deeplens/client";

/** What the fake answers to one call: a status and JSON, or the events of a stream. */
export type Answer =
  | { readonly status: number; readonly body: unknown }
  | { readonly events: readonly SagaEvent[] };

export interface Call {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingMessage["headers"];
  readonly body: unknown;
}

export interface FakeApi {
  readonly url: string;
  readonly calls: readonly Call[];
  close(): Promise<void>;
}

/** A server that answers as the orchestrator's API does, by `METHOD /path` (without the query). */
export const startFakeApi = async (answers: Readonly<Record<string, Answer>>): Promise<FakeApi> => {
  const calls: Call[] = [];
  const server = createServer((request, response) => {
    void answer(request, response);
  });
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    let text = "";
    for await (const chunk of request) text += String(chunk);
    const path = (request.url ?? "").split("?")[0] ?? "";
    const method = request.method ?? "";
    calls.push({
      method,
      path: request.url ?? "",
      headers: request.headers,
      body: text === "" ? undefined : JSON.parse(text),
    });
    const known = answers[`${method} ${path}`];
    if (known === undefined)
      send(response, 404, problem(404, "route-not-found", `there is no ${method} ${path}`));
    else if ("events" in known) stream(response, known.events);
    else send(response, known.status, known.body);
  };
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    calls,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
};

const send = (response: ServerResponse, status: number, body: unknown): void => {
  const type = status < 400 ? "application/json" : "application/problem+json";
  response.writeHead(status, { "content-type": type }).end(JSON.stringify(body));
};

const stream = (response: ServerResponse, events: readonly SagaEvent[]): void => {
  response.writeHead(200, { "content-type": "text/event-stream" });
  for (const event of events) {
    const [id, data] =
      event.type === "history"
        ? [`id: ${event.entry.id}\n`, event.entry]
        : ["", event.type === "saga" ? event.saga : { status: event.status }];
    response.write(`${id}event: ${event.type}\ndata: ${JSON.stringify(data)}\n\n`);
  }
  response.end();
};

export const problem = (status: number, code: string, detail: string): ProblemDetails => ({
  type: `urn:deeplens:problem:${code}`,
  title: "refused",
  status,
  code,
  detail,
  next: "do something about it",
});

export const tenantId = "6f0c1c1e-6d0b-5d5e-9d0b-2f9f3b1d7a55";
export const sagaId = "0b5e1c1e-6d0b-5d5e-9d0b-2f9f3b1d7a55";
const at = "2026-01-01T12:00:00.000Z";

export const tenantOf = (change: Partial<Tenant> = {}): Tenant => ({
  tenantId,
  slug: "acme",
  name: "Acme",
  state: "ready",
  revision: 3,
  tier: "free",
  limits: { storageBytes: 1024 ** 3, users: 5, apiCallsPerDay: 1_000 },
  storageType: "deeplens",
  resources: { "database.database": "tenant_acme_metadata", "storage.bucket": "deeplens-acme" },
  degraded: null,
  sagaId,
  running: null,
  suspended: null,
  rotation: null,
  removal: null,
  replaced: null,
  createdAt: at,
  updatedAt: at,
  ...change,
});

export const stepOf = (step: string, change: Partial<SagaStep> = {}): SagaStep => ({
  step,
  state: "done",
  phase: "done",
  attempts: 1,
  attemptsAtMost: 5,
  nextTryAt: null,
  fence: 1,
  commandedAt: at,
  startedAt: at,
  finishedAt: "2026-01-01T12:00:02.000Z",
  durationMs: 1_900,
  progress: null,
  error: null,
  resources: [],
  receipt: [],
  ...change,
});

export const sagaOf = (change: Partial<Saga> = {}): Saga => ({
  sagaId,
  tenantId,
  slug: "acme",
  kind: "provision",
  status: "ready",
  error: null,
  createdAt: at,
  updatedAt: at,
  finishedAt: "2026-01-01T12:00:04.000Z",
  name: "Acme",
  requestId: "r",
  source: "/deeplens/api",
  machineVersion: 1,
  version: 9,
  course: "ready",
  steps: [stepOf("database"), stepOf("storage")],
  waitingFor: [],
  ...change,
});

/** A plan of an act that may begin, or one that is changed. */
export const planOf = (act: string, change: Partial<Plan> = {}): Plan => ({
  act,
  slug: "acme",
  tenantId,
  title: `${act} acme (${tenantId})`,
  already: false,
  refusals: [],
  warnings: [],
  does: ["what the orchestrator says"],
  makes: [],
  goes: [],
  use: [],
  steps: [],
  wayBack: "tenantctl undo it",
  ...change,
});
