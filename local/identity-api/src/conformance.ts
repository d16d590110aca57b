/**
 * One suite for the stand-in in memory, for the stand-in on Postgres, and for a real Identity API, if there is one to try.
 *
 * Expected answers come from the reference and the standards, never from the stand-in:
 * - REF: the reference Identity API's source, https://github.com/kri-kan/deeplens (commit 0e40dae, src/NextGen.Identity):
 *   TenantController.cs, TenantService.cs, AuthDTOs.cs, IdentityServerConfig.cs, DeepLensProfileService.cs
 * - FACTS: "the Identity API replaces a tenant of the same slug together with its users", 400 {message} when refused, port 5198
 * - DUENDE: https://docs.duendesoftware.com/identityserver/reference/endpoints/token and .../discovery
 * - RFC 6749 (token endpoint, errors), RFC 7517 and 7515 (JWKS, JWS), OpenID Connect Discovery 1.0, section 3
 * The rules for passwords and e-mail addresses are ASP.NET Core Identity's defaults (PasswordOptions and IdentityErrorDescriber,
 * https://learn.microsoft.com/aspnet/core/security/authentication/identity-configuration, "Password"): the reference has none.
 */
import assert from "node:assert/strict";
import { createPublicKey, type JsonWebKey, randomBytes, verify } from "node:crypto";
import test from "node:test";

export type Answer = { status: number; body: unknown };
export type Call = (method: "GET" | "POST", path: string, body?: object | URLSearchParams) => Promise<Answer>;
type Fields = Record<string, unknown>;
const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const password = "Xy7-correct-horse";

/** Declares the suite's tests. Tenants can't be deleted in this API: each test uses names of its own. */
export const identityConformance = (name: string, call: Call): void => {
  const newName = (): string => `Conformance ${randomBytes(5).toString("hex")}`;
  const requestFor = (tenantName: string, more: Fields = {}): Fields => ({
    tenantName,
    databaseName: "tenant_x_metadata",
    adminEmail: `${tenantName.toLowerCase().replaceAll(/[^a-z0-9]/g, "")}@example.com`,
    adminPassword: password,
    adminFirstName: "Ada",
    adminLastName: "Lovelace",
    qdrantHttpPort: 6433,
    qdrantGrpcPort: 6434,
    ...more,
  });
  const provision = async (request: Fields): Promise<Fields> => {
    const { status, body } = await call("POST", "/api/tenant/provision", request);
    assert.equal(status, 200, JSON.stringify(body));
    return body as Fields;
  };
  const tokenFor = (username: unknown, secret = password, more = {}): Promise<Answer> => {
    const form = {
      client_id: "deeplens-webui-dev",
      grant_type: "password",
      username: String(username),
      password: secret,
    };
    return call("POST", "/connect/token", new URLSearchParams({ ...form, ...more }));
  };

  test(`${name}: a tenant is made with its administrator, and found by its slug`, async () => {
    // REF: ProvisionTenantResponse, TenantResponse, TenantInfrastructure; CreateTenantRecordWithAdminAsync (Active, Free, defaults)
    const tenantName = newName();
    const slug = tenantName.toLowerCase().replace(" ", "-");
    const request = requestFor(tenantName);
    const made = await provision({ ...request, minioEndpoint: "minio:9000", minioBucket: "deeplens-x" });
    assert.match(String(made.tenantId), uuid);
    assert.match(String(made.adminUserId), uuid);
    assert.deepEqual([made.tenantSlug, made.adminEmail], [slug, request.adminEmail]);
    assert.equal(made.message, `Tenant '${tenantName}' and admin user created successfully`);
    const { status, body } = await call("GET", `/api/tenant/${slug}`);
    const { createdAt, ...tenant } = body as Fields;
    assert.ok(!Number.isNaN(Date.parse(String(createdAt))));
    assert.deepEqual(
      [status, tenant],
      [
        200,
        {
          id: made.tenantId,
          name: tenantName,
          description: `Tenant: ${tenantName}`,
          slug,
          status: "Active",
          tier: "Free",
          infrastructure: {
            databaseName: "tenant_x_metadata",
            qdrantEndpoint: "http://localhost:6433",
            minioEndpoint: "minio:9000",
            minioBucket: "deeplens-x",
          },
        },
      ],
    );
  });

  test(`${name}: a slug that nobody has is answered 404 with a message`, async () => {
    // REF: GetTenant
    const answer = await call("GET", "/api/tenant/nobody-has-this");
    assert.deepEqual(
      [answer.status, answer.body],
      [404, { message: "Tenant with slug 'nobody-has-this' not found" }],
    );
  });

  test(`${name}: health`, async () => {
    // REF: Health
    const { status, body } = await call("GET", "/api/tenant/health");
    assert.deepEqual([status, (body as Fields).status], [200, "healthy"]);
  });

  test(`${name}: provisioning a slug again replaces the tenant, and its users are gone`, async () => {
    // FACTS; REF: CreateTenantRecordWithAdminAsync ("cleanup and recreate": a new id)
    const tenantName = newName();
    const first = requestFor(tenantName);
    const second = requestFor(tenantName, { adminEmail: `second-${String(first.adminEmail)}` });
    const [made, again] = [await provision(first), await provision(second)];
    assert.equal(again.tenantSlug, made.tenantSlug);
    assert.notEqual(again.tenantId, made.tenantId);
    const { body } = await call("GET", `/api/tenant/${made.tenantSlug}`);
    assert.equal((body as Fields).id, again.tenantId);
    assert.equal((await tokenFor(first.adminEmail)).status, 400, "the first administrator is gone");
    assert.equal((await tokenFor(second.adminEmail)).status, 200);
    await provision(second); // its own administrator's address is no obstacle
  });

  test(`${name}: the slug is made of the name`, async () => {
    // REF: GenerateSlug
    const tail = randomBytes(5).toString("hex");
    const made = await provision(requestFor(`  --Ünique & Co.   Ltd- -${tail}! `));
    assert.equal(made.tenantSlug, `nique-co-ltd-${tail}`);
  });

  test(`${name}: an e-mail address of another tenant's administrator is refused, and nothing is changed`, async () => {
    // A rule of the stand-in's own, in FACTS' form: the reference would let the address name two users
    const owner = requestFor(newName());
    await provision(owner);
    const other = newName();
    for (const email of [owner.adminEmail, String(owner.adminEmail).toUpperCase()]) {
      const { status, body } = await call(
        "POST",
        "/api/tenant/provision",
        requestFor(other, { adminEmail: email }),
      );
      assert.deepEqual([status, body], [400, { message: `User with email '${email}' already exists` }]);
    }
    assert.equal((await call("GET", `/api/tenant/${other.toLowerCase().replace(" ", "-")}`)).status, 404);
    assert.equal((await tokenFor(owner.adminEmail)).status, 200);
  });

  test(`${name}: a weak password, a bad e-mail address, and a name without a slug are refused with a message`, async () => {
    // FACTS (400 {message}); the texts are ASP.NET Core Identity's
    const refusals: [Fields, RegExp][] = [
      [{ adminPassword: "Ab1-" }, /at least 6 characters/],
      [{ adminPassword: "abcdef1-" }, /at least one uppercase \('A'-'Z'\)/],
      [{ adminPassword: "ABCDEF1-" }, /at least one lowercase \('a'-'z'\)/],
      [{ adminPassword: "ABCdef--" }, /at least one digit \('0'-'9'\)/],
      [{ adminPassword: "ABCdef12" }, /at least one non alphanumeric character/],
      [{ adminEmail: "nobody" }, /^Email 'nobody' is invalid\.$/],
      [{ tenantName: "!!!" }, /slug/],
    ];
    for (const [more, message] of refusals) {
      const { status, body } = await call("POST", "/api/tenant/provision", requestFor(newName(), more));
      assert.equal(status, 400);
      assert.match(String((body as Fields).message), message);
    }
  });

  test(`${name}: a request without a field is refused by the framework, which names it`, async () => {
    // REF: [ApiController], `required` members; https://learn.microsoft.com/aspnet/core/web-api/#automatic-http-400-responses
    const { adminEmail: _, ...rest } = requestFor(newName());
    const { status, body } = await call("POST", "/api/tenant/provision", rest);
    const problem = body as { title: string; status: number; errors: Record<string, string[]> };
    assert.deepEqual([status, problem.status], [400, 400]);
    assert.equal(problem.title, "One or more validation errors occurred.");
    assert.match(JSON.stringify(problem.errors), /adminEmail/i);
  });

  test(`${name}: a user's password gets a token that the published key proves, with role and tenant`, async () => {
    // DUENDE: token endpoint; RFC 6749, 5.1; REF: client deeplens-webui-dev, DeepLensProfileService (claims), UserRole.TenantOwner
    const request = requestFor(newName());
    const made = await provision(request);
    const { status, body } = await tokenFor(request.adminEmail, password, {
      scope: "deeplens.api deeplens.search",
    });
    const token = body as { access_token: string; expires_in: number; token_type: string; scope: string };
    assert.equal(status, 200);
    assert.deepEqual(
      [token.expires_in, token.token_type, token.scope],
      [3600, "Bearer", "deeplens.api deeplens.search"],
    );
    const [header = "", payload = "", signature = ""] = token.access_token.split(".");
    const decode = (part: string): Fields => JSON.parse(Buffer.from(part, "base64url").toString()) as Fields;

    const discovery = (await call("GET", "/.well-known/openid-configuration")).body as Record<string, string>;
    const { keys } = (await call("GET", new URL(String(discovery.jwks_uri)).pathname)).body as {
      keys: JsonWebKey[];
    };
    const key = keys.find(({ kid }) => kid === decode(header).kid);
    assert.equal(decode(header).alg, "RS256");
    assert.ok(key !== undefined && !("d" in key), "RFC 7517: the public key, and no private part");
    const publicKey = createPublicKey({ key, format: "jwk" });
    assert.ok(
      verify("sha256", Buffer.from(`${header}.${payload}`), publicKey, Buffer.from(signature, "base64url")),
    );

    const claims = decode(payload);
    assert.equal(claims.iss, discovery.issuer);
    assert.equal(claims.aud, "deeplens-api");
    assert.equal(Number(claims.exp) - Number(claims.iat), 3600);
    const { sub, email, role, tenant_id, tenant_slug, name: fullName, client_id } = claims;
    assert.deepEqual(
      { sub, email, role, tenant_id, tenant_slug, fullName, client_id },
      {
        sub: made.adminUserId,
        email: request.adminEmail,
        role: "TenantOwner",
        tenant_id: made.tenantId,
        tenant_slug: made.tenantSlug,
        fullName: "Ada Lovelace",
        client_id: "deeplens-webui-dev",
      },
    );
  });

  test(`${name}: what a token is refused for`, async () => {
    // RFC 6749, 5.2; REF: DeepLensResourceOwnerPasswordValidator ("Invalid username or password", whichever it was)
    const request = requestFor(newName());
    await provision(request);
    const invalidGrant = { error: "invalid_grant", error_description: "Invalid username or password" };
    const email = request.adminEmail;
    assert.deepEqual(await tokenFor(email, "wrong"), { status: 400, body: invalidGrant });
    assert.deepEqual(await tokenFor("nobody@example.com"), { status: 400, body: invalidGrant });
    const refusals: [object, string][] = [
      [{ client_id: "unknown" }, "invalid_client"],
      [{ grant_type: "magic" }, "unsupported_grant_type"],
      [{ grant_type: "client_credentials" }, "unauthorized_client"],
      [{ scope: "everything" }, "invalid_scope"],
    ];
    for (const [more, error] of refusals)
      assert.deepEqual(await tokenFor(email, password, more), { status: 400, body: { error } });
  });

  test(`${name}: the discovery document has what OpenID Connect asks for`, async () => {
    // OpenID Connect Discovery 1.0, section 3 (REQUIRED; no authorization_endpoint: no grant here uses one, RFC 8414, section 2)
    const { status, body } = await call("GET", "/.well-known/openid-configuration");
    const found = body as Record<string, unknown>;
    assert.equal(status, 200);
    assert.doesNotMatch(String(found.issuer), /\/$/);
    for (const url of ["token_endpoint", "jwks_uri"])
      assert.ok(String(found[url]).startsWith(`${found.issuer}/`));
    assert.deepEqual(found.subject_types_supported, ["public"]);
    assert.ok(
      (found.id_token_signing_alg_values_supported as string[]).includes("RS256"),
      "RS256 MUST be included",
    );
    assert.ok(Array.isArray(found.response_types_supported));
    assert.ok((found.grant_types_supported as string[]).includes("password"));
  });
};
