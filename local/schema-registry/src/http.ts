/** Confluent's REST paths over the registry. */
import fastify, { type FastifyInstance, LogController } from "fastify";
import { z } from "zod";
import { levels } from "./compatibility.ts";
import { invalidLevel, invalidSchema, invalidVersion, RegistryError } from "./errors.ts";
import type { StoredSchema } from "./records.ts";
import type { Posted, Registry } from "./registry.ts";

const contentType = "application/vnd.schemaregistry.v1+json";
const posted = z.object({
  schema: z.string(),
  schemaType: z.string().optional(),
  references: z.array(z.unknown()).optional(),
});
type Of<Params, Query = unknown> = { Params: Params; Querystring: Query };
type Subject = { subject: string };
type Version = { subject: string; version: string };

/** The server, not listening yet; without a log level it says nothing. */
export const createServer = (registry: Registry, logLevel?: string): FastifyInstance => {
  const server = fastify({
    logger: logLevel === undefined ? false : { level: logLevel, base: { service: "schema-registry" } },
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: 4 * 1024 * 1024,
    // A subject is a topic's name and a record's: the router's own limit of 100 characters would answer 404.
    routerOptions: { maxParamLength: 1_000 },
  });
  server.removeAllContentTypeParsers();
  server.addContentTypeParser("*", { parseAs: "string" }, (_request, body, done) => {
    try {
      done(null, body === "" ? undefined : JSON.parse(String(body)));
    } catch {
      done(new RegistryError(400, "Unable to process JSON"));
    }
  });
  server.addHook("onSend", async (_request, reply) => void reply.header("content-type", contentType));
  server.setNotFoundHandler(() => {
    throw new RegistryError(404, "HTTP 404 Not Found");
  });
  server.setErrorHandler((error: Error & { statusCode?: number }, request, reply) => {
    if (!(error instanceof RegistryError)) request.log.error({ error: error.message }, "request failed");
    const code = error instanceof RegistryError ? error.code : (error.statusCode ?? 50001);
    return reply.code(Number(String(code).slice(0, 3))).send({ error_code: code, message: error.message });
  });

  server.get("/", () => ({}));
  server.get("/schemas/types", () => ["AVRO"]);
  server.get<Of<{ id: string }>>("/schemas/ids/:id", ({ params }) => {
    if (!/^\d+$/.test(params.id)) throw new RegistryError(404, "HTTP 404 Not Found");
    const { schema, schemaType } = registry.byId(Number(params.id));
    return schemaType === "AVRO" ? { schema } : { schemaType, schema };
  });

  server.get("/subjects", () => registry.subjects());
  server.post<Of<Subject>>("/subjects/:subject", ({ params, body }) =>
    describe(registry.lookUp(params.subject, parsePosted(body))),
  );
  server.delete<Of<Subject, { permanent?: string }>>("/subjects/:subject", ({ params, query }) =>
    registry.remove(params.subject, query.permanent === "true"),
  );
  server.get<Of<Subject>>("/subjects/:subject/versions", ({ params }) => registry.versions(params.subject));
  server.post<Of<Subject>>("/subjects/:subject/versions", async ({ params, body }) => ({
    id: await registry.register(params.subject, parsePosted(body)),
  }));
  server.get<Of<Version>>("/subjects/:subject/versions/:version", ({ params }) =>
    describe(registry.version(params.subject, parseVersion(params.version))),
  );
  server.get<Of<Version>>("/subjects/:subject/versions/:version/schema", (request, reply) =>
    reply
      .serializer(String)
      .send(registry.version(request.params.subject, parseVersion(request.params.version)).schema),
  );

  const compatible = (
    subject: string,
    version: string | undefined,
    body: unknown,
    verbose: string | undefined,
  ) => {
    const against = version === undefined ? undefined : parseVersion(version);
    const messages = registry.problems(subject, against, parsePosted(body));
    return { is_compatible: messages.length === 0, ...(verbose === "true" ? { messages } : {}) };
  };
  server.post<Of<Version, { verbose?: string }>>(
    "/compatibility/subjects/:subject/versions/:version",
    (request) =>
      compatible(request.params.subject, request.params.version, request.body, request.query.verbose),
  );
  server.post<Of<Subject, { verbose?: string }>>("/compatibility/subjects/:subject/versions", (request) =>
    compatible(request.params.subject, undefined, request.body, request.query.verbose),
  );

  const setLevel = async (subject: string | null, body: unknown) => {
    const asked = z.object({ compatibility: z.string() }).safeParse(body).data?.compatibility.toUpperCase();
    const level = levels.find((known) => known === asked);
    if (level === undefined) throw invalidLevel();
    await registry.setLevel(subject, level);
    return { compatibility: level };
  };
  server.get("/config", () => ({ compatibilityLevel: registry.level(null) }));
  server.put("/config", ({ body }) => setLevel(null, body));
  server.get<Of<Subject, { defaultToGlobal?: string }>>("/config/:subject", ({ params, query }) => ({
    compatibilityLevel: registry.level(params.subject, query.defaultToGlobal === "true"),
  }));
  server.put<Of<Subject>>("/config/:subject", ({ params, body }) => setLevel(params.subject, body));
  return server;
};

const describe = ({ subject, version, id, schemaType, schema }: StoredSchema) => ({
  subject,
  version,
  id,
  ...(schemaType === "AVRO" ? {} : { schemaType }),
  schema,
});

const parsePosted = (body: unknown): Posted => {
  const result = posted.safeParse(body);
  if (!result.success) throw invalidSchema("Empty schema");
  return result.data;
};

const parseVersion = (text: string): number | "latest" => {
  if (text.trim().toLowerCase() === "latest" || text.trim() === "-1") return "latest";
  const version = /^\d+$/.test(text.trim()) ? Number(text) : 0;
  if (version < 1 || version > 2 ** 31 - 1) throw invalidVersion(text);
  return version;
};
