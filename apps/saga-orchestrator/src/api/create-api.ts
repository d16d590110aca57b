/**
 * The orchestrator's HTTP API. Reading goes to the tables; whatever changes something is a row in the inbox of the
 * tenant's shard, applied by the shard's owner with the function that applies a Kafka record, and this process only
 * waits for the result. So an orchestrator that owns no shard can answer every call, and a crash between the row and
 * the answer costs the caller a repetition with the same idempotency key and nothing else.
 */
import type { Pool } from "@deeplens/postgres";
import fastifySwagger from "@fastify/swagger";
import Fastify, { type FastifyBaseLogger, type FastifyInstance, LogController } from "fastify";
import { requireToken } from "./auth.ts";
import { builtConsole, readConsole } from "./console-files.ts";
import type { ApiContext } from "./context.ts";
import { createCursors } from "./cursor.ts";
import { answerError, answerErrors } from "./errors.ts";
import { createInboxWaiter } from "./inbox-row.ts";
import { description } from "./openapi.ts";
import { actRoutes } from "./routes/acts.ts";
import { consoleRoutes } from "./routes/console.ts";
import { credentialRoutes } from "./routes/credentials.ts";
import { deskRoutes } from "./routes/desk.ts";
import { eventRoutes } from "./routes/events.ts";
import { healthRoutes } from "./routes/health.ts";
import { inboxRoutes } from "./routes/inbox.ts";
import { keyRoutes } from "./routes/keys.ts";
import { planRoutes } from "./routes/plans.ts";
import { sagaRoutes } from "./routes/sagas.ts";
import { secretRoutes } from "./routes/secrets.ts";
import { shardRoutes } from "./routes/shards.ts";
import { tenantActRoutes } from "./routes/tenant-acts.ts";
import { tenantRequestRoutes } from "./routes/tenant-requests.ts";
import { tenantRoutes } from "./routes/tenants.ts";
import { tablesOf } from "./tables.ts";
import { type Api, validateWithZod } from "./zod-types.ts";

const bodyLimitBytes = 64 * 1024;
const defaultWaitMs = 15_000;
const defaultDropOffMs = 24 * 3_600_000;
const defaultHealthEveryMs = 900_000;

export type ApiOptions = Pick<
  ApiContext,
  "log" | "installation" | "shards" | "settings" | "kind" | "credentials" | "dropOffs" | "keys" | "fleet"
> &
  Partial<Pick<ApiContext, "dropOffMs" | "healthEveryMs">> & {
    /** The control database. */
    readonly pool: Pool;
    /** The orchestrator's schema in it; `orchestrator` unless told. */
    readonly schema?: string;
    /** The bearer token that every route but /openapi.json asks for. */
    readonly token: string;
    /** How long a call waits for the shard's owner, in ms; 15,000 unless told. */
    readonly waitMs?: number;
  };

/**
 * The API, not listening yet: call `listen` (or `inject`), and `close` to end it, its event streams included.
 *
 * @throws where the token is too short
 */
export const createApi = ({
  token,
  pool,
  schema = "orchestrator",
  waitMs = defaultWaitMs,
  dropOffMs = defaultDropOffMs,
  healthEveryMs = defaultHealthEveryMs,
  ...rest
}: ApiOptions): FastifyInstance => {
  const db = { pool, tables: tablesOf(schema) };
  const context: ApiContext = {
    ...rest,
    db,
    schema,
    waitMs,
    dropOffMs,
    healthEveryMs,
    inbox: createInboxWaiter(db),
    cursors: createCursors(token),
  };
  const app: FastifyInstance = Fastify({
    loggerInstance: rest.log as FastifyBaseLogger,
    bodyLimit: bodyLimitBytes,
    logController: new LogController({ disableRequestLogging: true }),
    frameworkErrors: (error, _request, reply) => answerError(reply, error),
    // A close ends open event streams too; their readers come again with the last id they saw.
    forceCloseConnections: true,
    exposeHeadRoutes: false,
    requestTimeout: 30_000,
    routerOptions: { maxParamLength: 200 },
  });
  validateWithZod(app);
  answerErrors(app);
  app.addHook("onRequest", requireToken(token));
  app.addHook("onResponse", async (request, reply) => {
    const { method, url } = request;
    rest.log.debug(
      { method, url, status: reply.statusCode, durationMs: Math.round(reply.elapsedTime) },
      "answered",
    );
  });
  void app.register(fastifySwagger, description(rest.installation));
  void app.register(async (scope) => addRoutes(scope as unknown as Api, context));
  return app;
};

const addRoutes = (app: Api, context: ApiContext): void => {
  app.get("/openapi.json", { schema: { hide: true } as object, config: { open: true } }, () => app.swagger());
  consoleRoutes(app, readConsole(builtConsole));
  for (const routes of [
    tenantRequestRoutes,
    tenantRoutes,
    credentialRoutes,
    secretRoutes,
    sagaRoutes,
    eventRoutes,
    deskRoutes,
    actRoutes,
    tenantActRoutes,
    shardRoutes,
    keyRoutes,
    healthRoutes,
    planRoutes,
    inboxRoutes,
  ])
    routes(app, context);
};
