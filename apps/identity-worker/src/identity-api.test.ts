import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import { ConfigurationError, parseConfig } from "@deeplens/service";
import { fieldsOf, requestOf } from "./asked-tenant.ts";
import { identitySettings } from "./config.ts";
import { commandOf, fakeIdentityApi } from "./identity.fixture.ts";
import { type IdentityApi, identityApi, type TenantRequest } from "./identity-api.ts";

const password = "a-password-nobody-may-see";
const request: TenantRequest = requestOf(fieldsOf(commandOf()), password);
const soon = (): AbortSignal => AbortSignal.timeout(5_000);

/** The client against a server that gives every request this one answer. */
const answering = async (
  answer: { status: number; body: unknown; headers?: Record<string, string> },
  story: (api: IdentityApi) => Promise<void>,
): Promise<void> => {
  const body = typeof answer.body === "string" ? answer.body : JSON.stringify(answer.body);
  const server = createServer((_, response) => response.writeHead(answer.status, answer.headers).end(body));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  try {
    await story(identityApi(`http://127.0.0.1:${(server.address() as AddressInfo).port}`));
  } finally {
    server.closeAllConnections();
    server.close();
  }
};

test("the tenant is read as the Identity API gives it", () => {
  const body = {
    id: "0d1c",
    name: "Acme",
    description: null,
    slug: "acme",
    status: "Active",
    tier: "Free",
    infrastructure: {
      databaseName: "tenant_acme_metadata",
      qdrantEndpoint: "http://localhost:6433",
      minioEndpoint: "minio:9000",
      minioBucket: "deeplens-acme",
    },
    createdAt: "2026-01-01T00:00:00Z",
  };
  return answering({ status: 200, body }, async (api) => {
    const expected = { id: "0d1c", name: "Acme", slug: "acme" };
    const infrastructure = { databaseName: "tenant_acme_metadata", minioBucket: "deeplens-acme" };
    assert.deepEqual(await api.find("acme", soon()), { ...expected, ...infrastructure });
  });
});

for (const [what, answer] of Object.entries({
  "another form": { status: 200, body: { tenant: "acme" } },
  "a page": { status: 200, body: "<html>" },
  "a list": { status: 200, body: "[]" },
  "a redirect": { status: 302, body: "", headers: { location: "http://127.0.0.1:9/" } },
  "a failure": { status: 500, body: { message: "An error occurred" } },
  "a 404 of somebody else's": { status: 404, body: "404 page not found" },
}))
  test(`${what} says neither that the tenant is there nor that it is not`, () =>
    answering(answer, (api) => assert.rejects(api.find("acme", soon()), /the Identity API answered GET/)));

test("a refusal gives its reason, the framework's own included, and never the password", () =>
  answering(
    {
      status: 400,
      body: {
        title: "One or more validation errors occurred.",
        errors: { AdminPassword: [`The value '${password}' is not valid.`] },
      },
    },
    async (api) => {
      const answer = await api.provision(request, soon());
      assert.deepEqual(answer, {
        outcome: "refused",
        message: "One or more validation errors occurred.; AdminPassword: The value '[secret]' is not valid.",
      });
    },
  ));

test("a failure that repeats the request does not bring the password into an error", () =>
  answering({ status: 500, body: { request } }, async (api) => {
    const error: unknown = await api.provision(request, soon()).catch((reason: unknown) => reason);
    assert.ok(error instanceof Error);
    assert.match(error.message, /500/);
    assert.ok(!error.message.includes(password));
  }));

test("a call ends when its signal does", async () => {
  const server = createServer(() => undefined);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const api = identityApi(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  await assert.rejects(api.health(AbortSignal.timeout(50)), { name: "TimeoutError" });
  server.closeAllConnections();
  server.close();
});

test("health says whether the API answers", async () => {
  const fake = await fakeIdentityApi();
  await identityApi(fake.url).health(soon());
  await fake.close();
  await assert.rejects(identityApi(fake.url).health(soon()));
});

test("without storage no storage is named", () => {
  const fields = fieldsOf({ ...commandOf(), storage: { type: "none" } });
  const sent = requestOf(fields, password);
  assert.deepEqual(["minioBucket" in sent, "minioEndpoint" in sent], [false, false]);
});

for (const missing of ["database.database", "vectors.httpPort", "vectors.grpcPort", "storage.bucket"])
  test(`rule 20: without ${missing} nothing is asked`, () => {
    const { [missing]: _, ...inputs } = commandOf().inputs;
    assert.throws(() => fieldsOf({ ...commandOf(), inputs }), {
      code: "identity-input-missing",
      pivot: "not-asked",
      message: new RegExp(missing),
    });
  });

test("an address that is none is named", () => {
  const environment = { IDENTITY_API_URL: "identity-api:5198", IDENTITY_LONGEST_REQUEST_MS: "-1" };
  assert.throws(
    () => parseConfig(identitySettings, environment),
    (error) =>
      error instanceof ConfigurationError &&
      ["IDENTITY_API_URL", "IDENTITY_LONGEST_REQUEST_MS"].every((name) =>
        error.problems.some((problem) => problem.startsWith(`${name}:`)),
      ),
  );
});

// Seen to fail with fetch's own error: "fetch failed" was all that an operator read.
test("an API that is not there is named, with the reason, whose code stays readable", async () => {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  const error = await identityApi(`http://127.0.0.1:${port}`)
    .find("acme", AbortSignal.timeout(5_000))
    .then(() => undefined)
    .catch((reason: Error) => reason);
  assert.match(error?.message ?? "", /the Identity API at 127\.0\.0\.1:\d+ does not answer: .*ECONNREFUSED/);
  assert.equal(
    ((error?.cause as Error | undefined)?.cause as { code?: string } | undefined)?.code,
    "ECONNREFUSED",
  );
});
