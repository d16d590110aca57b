/** The Identity API's paths, in the words and shapes of the reference (ASP.NET Core with Duende IdentityServer). */
import fastify, { type FastifyInstance, LogController } from "fastify";
import { z } from "zod";
import { defaultCost, hashPassword } from "./passwords.ts";
import { refusalOf } from "./rules.ts";
import { slugOf } from "./slug.ts";
import { type IdentityStore, rowsOf, type Tenant } from "./store.ts";
import { type Client, createTokenEndpoint, scopes, webClient } from "./token-endpoint.ts";
import type { TokenSigner } from "./tokens.ts";

export type ServerOptions = {
  store: IdentityStore;
  signer: TokenSigner;
  issuer: string;
  clients?: readonly Client[];
  /** scrypt's N; tests take a low one. */
  passwordCost?: number;
  /** Without one it says nothing. */
  logLevel?: string;
};

const text = z
  .string()
  .min(1)
  .refine((value) => !value.includes("\0"), "may have no zero byte");
const port = z.number().int().min(0).max(65_535);
const provisionRequest = z.object({
  tenantName: text,
  databaseName: text,
  adminEmail: text,
  adminPassword: text,
  adminFirstName: text,
  adminLastName: text,
  qdrantHttpPort: port,
  qdrantGrpcPort: port,
  minioEndpoint: text.nullish(),
  minioBucket: text.nullish(),
});

/** The server, not listening yet. */
export const createServer = ({
  store,
  signer,
  issuer,
  clients = [],
  passwordCost = defaultCost,
  logLevel,
}: ServerOptions): FastifyInstance => {
  const server = fastify({
    logger: logLevel === undefined ? false : { level: logLevel, base: { service: "identity-api" } },
    logController: new LogController({ disableRequestLogging: true }),
  });
  server.addContentTypeParser(
    "application/x-www-form-urlencoded",
    { parseAs: "string" },
    (_request, body, done) => done(null, new URLSearchParams(String(body))),
  );
  server.setErrorHandler((error: Error & { statusCode?: number }, request, reply) => {
    const status = error.statusCode ?? 500;
    // Nothing of the request is logged: it has a password in it.
    if (status >= 500)
      request.log.error({ error: error.message, path: request.routeOptions.url }, "request failed");
    if (status === 400) return reply.code(400).send(problem({ $: ["The JSON value could not be read."] }));
    return reply.code(status).send({ message: status >= 500 ? "An error occurred" : error.message });
  });

  server.get("/api/tenant/health", () => ({
    status: "healthy",
    controller: "tenant",
    timestamp: new Date(),
  }));

  server.get<{ Params: { slug: string } }>("/api/tenant/:slug", async ({ params: { slug } }, reply) => {
    const tenant = slug.includes("\0") ? undefined : await store.tenant(slug);
    if (tenant !== undefined) return describe(tenant);
    return reply.code(404).send({ message: `Tenant with slug '${slug}' not found` });
  });

  server.post("/api/tenant/provision", async ({ body }, reply) => {
    const parsed = provisionRequest.safeParse(body);
    if (!parsed.success) return reply.code(400).send(problem(fieldErrors(parsed.error)));
    const request = parsed.data;
    const slug = slugOf(request.tenantName);
    const refusal = refusalOf(request, slug);
    if (refusal !== undefined) return reply.code(400).send({ message: refusal });
    const { tenant, user } = rowsOf(
      request,
      slug,
      await hashPassword(request.adminPassword, passwordCost),
      new Date(),
    );
    if ((await store.replace(tenant, user)) === "email-taken")
      return reply.code(400).send({ message: `User with email '${user.email}' already exists` });
    server.log.info({ tenant: slug, tenantId: tenant.id }, "tenant provisioned");
    return {
      tenantId: tenant.id,
      adminUserId: user.id,
      tenantSlug: slug,
      adminEmail: user.email,
      message: `Tenant '${tenant.name}' and admin user created successfully`,
    };
  });

  server.get("/.well-known/openid-configuration", () => ({
    issuer,
    jwks_uri: `${issuer}/.well-known/openid-configuration/jwks`,
    token_endpoint: `${issuer}/connect/token`,
    grant_types_supported: ["password", "client_credentials"],
    response_types_supported: ["token"],
    scopes_supported: scopes,
    claims_supported: [
      "sub",
      "role",
      "email",
      "name",
      "given_name",
      "family_name",
      "tenant_id",
      "tenant_slug",
    ],
    subject_types_supported: ["public"],
    id_token_signing_alg_values_supported: ["RS256"],
    token_endpoint_auth_methods_supported: ["client_secret_basic", "client_secret_post"],
  }));
  server.get("/.well-known/openid-configuration/jwks", () => ({ keys: [signer.jwk] }));

  const tokenEndpoint = createTokenEndpoint(store, signer, [webClient, ...clients], passwordCost);
  server.post("/connect/token", async ({ body, headers }, reply) => {
    reply.header("cache-control", "no-store");
    if (!(body instanceof URLSearchParams)) return reply.code(400).send({ error: "invalid_request" });
    const answer = await tokenEndpoint({ form: body, authorization: headers.authorization, now: new Date() });
    return reply.code(answer.status).send(answer.body);
  });
  return server;
};

const describe = (tenant: Tenant) => ({
  id: tenant.id,
  name: tenant.name,
  description: `Tenant: ${tenant.name}`,
  slug: tenant.slug,
  status: "Active",
  tier: "Free",
  infrastructure: {
    databaseName: tenant.databaseName,
    qdrantEndpoint: `http://localhost:${tenant.qdrantHttpPort}`,
    minioEndpoint: tenant.minioEndpoint,
    minioBucket: tenant.minioBucket,
  },
  createdAt: tenant.createdAt,
});

// ASP.NET's ValidationProblemDetails: what its framework answers before the API's own code has seen the request.
const problem = (errors: Record<string, string[]>) => ({
  type: "https://tools.ietf.org/html/rfc9110#section-15.5.1",
  title: "One or more validation errors occurred.",
  status: 400,
  errors,
});
const fieldErrors = (error: z.ZodError): Record<string, string[]> =>
  Object.fromEntries(
    error.issues.map(({ path, message }) => [
      path.join(".") || "$",
      [`The ${path.join(".") || "body"} field: ${message}.`],
    ]),
  );
