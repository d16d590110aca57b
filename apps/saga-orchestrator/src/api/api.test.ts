import assert from "node:assert/strict";
import { test } from "node:test";
import type { Pool } from "@deeplens/postgres";
import { memorySecrets } from "@deeplens/secrets/testing";
import { createLogger } from "@deeplens/telemetry";
import { defaultSettings } from "../saga/settings.ts";
import { provisionKind } from "../testing/provision-kind.ts";
import { createApi } from "./create-api.ts";
import { fakeFleet } from "./fake-fleet.ts";

const token = "a-token-of-the-tests-0123456789";
const authorization = `Bearer ${token}`;
const headers = { authorization, "idempotency-key": "key-1" };
const sagaId = "8b7c1f0e-6a55-5a0f-9a5e-0123456789ab";

const body = {
  name: "Acme",
  tier: "free",
  storage: { type: "deeplens" },
  administrator: { email: "ada@acme.example", firstName: "Ada", lastName: "Lovelace" },
};

const keys = {
  inUse: async () => ({ current: "v1", versions: [{ version: "v1", known: true, secrets: 0 }] }),
  rewrap: async () => ({ moved: 0, left: 0 }),
};

/** An API over a database that answers every query in the same way: by default that there is nothing. */
const apiOver = (query: () => Promise<{ rows: unknown[] }> = async () => ({ rows: [] })) =>
  createApi({
    pool: { query } as unknown as Pool,
    log: createLogger("tests", "silent"),
    installation: "deeplens",
    shards: 6,
    settings: defaultSettings,
    kind: provisionKind,
    token,
    waitMs: 100,
    credentials: { revealed: async () => [] },
    dropOffs: memorySecrets().dropOffs,
    fleet: fakeFleet,
    keys,
  });

test("a call without the token is refused and told how to send one; the description is open", async () => {
  const api = apiOver();
  const bare = await api.inject({ url: "/v1/tenants" });
  assert.equal(bare.statusCode, 401);
  assert.equal(bare.headers["www-authenticate"], 'Bearer realm="deeplens"');
  assert.equal(bare.json().code, "token-missing");
  assert.match(bare.json().next, /Authorization: Bearer/);
  const wrong = await api.inject({ url: "/v1/tenants", headers: { authorization: `${authorization}x` } });
  assert.equal(wrong.json().code, "token-wrong");
  assert.equal((await api.inject({ url: "/nothing-here" })).statusCode, 401);
  assert.equal((await api.inject({ url: "/v1/tenants", headers })).statusCode, 200);
  assert.equal((await api.inject({ url: "/openapi.json" })).statusCode, 200);
});

test("a token that protects nothing is refused when the API is made", () => {
  assert.throws(
    () =>
      createApi({
        pool: {} as Pool,
        log: createLogger("tests", "silent"),
        installation: "deeplens",
        shards: 6,
        settings: defaultSettings,
        kind: provisionKind,
        token: "short",
        credentials: { revealed: async () => [] },
        dropOffs: memorySecrets().dropOffs,
        fleet: fakeFleet,
        keys,
      }),
    /it needs 16 or more/,
  );
});

test("the description has every route, and shows the schemas that validate", async () => {
  const document = (await apiOver().inject({ url: "/openapi.json" })).json();
  assert.deepEqual(Object.keys(document.paths).sort(), [
    "/v1/audit",
    "/v1/debts",
    "/v1/groups",
    "/v1/inbox/{inboxId}",
    "/v1/keys",
    "/v1/keys/rewrap",
    "/v1/overview",
    "/v1/plans/create",
    "/v1/sagas",
    "/v1/sagas/{sagaId}",
    "/v1/sagas/{sagaId}/abort",
    "/v1/sagas/{sagaId}/events",
    "/v1/sagas/{sagaId}/history",
    "/v1/sagas/{sagaId}/machine",
    "/v1/sagas/{sagaId}/resume",
    "/v1/sagas/{sagaId}/retry",
    "/v1/secrets",
    "/v1/shards",
    "/v1/shards/{shard}/accept",
    "/v1/tenants",
    "/v1/tenants/{tenant}",
    "/v1/tenants/{tenant}/backup",
    "/v1/tenants/{tenant}/backups",
    "/v1/tenants/{tenant}/credentials/reveal",
    "/v1/tenants/{tenant}/drill",
    "/v1/tenants/{tenant}/end-rotation",
    "/v1/tenants/{tenant}/grace",
    "/v1/tenants/{tenant}/health",
    "/v1/tenants/{tenant}/migrate",
    "/v1/tenants/{tenant}/overlap",
    "/v1/tenants/{tenant}/plans/{act}",
    "/v1/tenants/{tenant}/purge",
    "/v1/tenants/{tenant}/release",
    "/v1/tenants/{tenant}/remove",
    "/v1/tenants/{tenant}/repair",
    "/v1/tenants/{tenant}/replace-credentials",
    "/v1/tenants/{tenant}/restore",
    "/v1/tenants/{tenant}/restore-back",
    "/v1/tenants/{tenant}/restore-backup",
    "/v1/tenants/{tenant}/restore-end",
    "/v1/tenants/{tenant}/resume",
    "/v1/tenants/{tenant}/rotate",
    "/v1/tenants/{tenant}/suspend",
    "/v1/tenants/{tenant}/tier",
  ]);
  const post = document.paths["/v1/tenants"].post;
  const schema = post.requestBody.content["application/json"].schema;
  assert.deepEqual(schema.required, ["name", "tier", "storage", "administrator"]);
  assert.equal(schema.additionalProperties, false);
  assert.ok(post.parameters.some((one: { name: string; in: string }) => one.name === "idempotency-key"));
  assert.deepEqual(document.security, [{ token: [] }]);
});

test("an unknown field is refused by name", async () => {
  const answer = await apiOver().inject({
    method: "POST",
    url: "/v1/tenants",
    headers,
    payload: { ...body, plan: "gold" },
  });
  assert.equal(answer.statusCode, 400);
  assert.equal(answer.headers["content-type"], "application/problem+json; charset=utf-8");
  assert.match(answer.json().detail, /plan/);
});

test("every field that is missing or of the wrong type is named at once", async () => {
  const answer = await apiOver().inject({
    method: "POST",
    url: "/v1/tenants",
    headers,
    payload: { name: 5, tier: "free", administrator: { email: "a@b.example", firstName: "A" } },
  });
  assert.equal(answer.statusCode, 400);
  const fields = answer.json().errors.map((one: { field: string }) => one.field);
  assert.deepEqual(fields, ["name", "storage", "administrator.lastName"]);
});

test("a request without an idempotency key is refused", async () => {
  const answer = await apiOver().inject({
    method: "POST",
    url: "/v1/tenants",
    headers: { authorization },
    payload: body,
  });
  assert.equal(answer.statusCode, 400);
  assert.equal(answer.json().field, "idempotency-key");
});

test("what the database can't keep is refused by its rule before it gets there", async () => {
  const api = apiOver(async () => assert.fail("the database was asked"));
  const post = (payload: object) => api.inject({ method: "POST", url: "/v1/tenants", headers, payload });
  for (const [payload, code, field] of [
    [{ ...body, name: "ac\0me" }, "name-invalid", "name"],
    [{ ...body, name: "ac\ud800me" }, "name-invalid", "name"],
    [{ ...body, tier: "fr\0ee" }, "tier-unknown", "tier"],
    [{ ...body, storage: { type: "none", provider: "\0" } }, "storage-not-byos", "storage.provider"],
    [
      { ...body, administrator: { ...body.administrator, lastName: "\0" } },
      "administrator-name",
      "administrator.lastName",
    ],
  ] as const) {
    const answer = await post(payload);
    assert.equal(answer.statusCode, 422);
    assert.equal(answer.json().code, code);
    assert.equal(answer.json().field, field);
  }
});

test("a body over 64 KiB, a body that is no JSON and another media type get their own answers", async () => {
  const api = apiOver();
  const post = (payload: string, type = "application/json") =>
    api.inject({
      method: "POST",
      url: "/v1/tenants",
      headers: { ...headers, "content-type": type },
      payload,
    });
  const large = await post(JSON.stringify({ ...body, name: "x".repeat(65_536) }));
  assert.deepEqual([large.statusCode, large.json().code], [413, "body-too-large"]);
  const broken = await post("{");
  assert.deepEqual([broken.statusCode, broken.json().code], [400, "body-malformed"]);
  const xml = await post("<a/>", "application/xml");
  assert.deepEqual([xml.statusCode, xml.json().code], [415, "media-type-unsupported"]);
});

test("what is not there is said to be not there, with where to look", async () => {
  const api = apiOver();
  for (const [url, code] of [
    ["/v1/tenants/nobody", "tenant-not-found"],
    [`/v1/sagas/${sagaId}`, "saga-not-found"],
    [`/v1/sagas/${sagaId}/history`, "saga-not-found"],
    [`/v1/sagas/${sagaId}/events`, "saga-not-found"],
    ["/v1/inbox/7", "inbox-not-found"],
    ["/v1/nothing", "route-not-found"],
  ] as const) {
    const answer = await api.inject({ url, headers });
    assert.deepEqual([answer.statusCode, answer.json().code], [404, code]);
    assert.notEqual(answer.json().next, "");
  }
});

test("wrong parameters are named: an id that is none, a state that is none, a cursor that is none", async () => {
  const api = apiOver();
  for (const [url, field] of [
    ["/v1/sagas/7", "sagaId"],
    ["/v1/tenants?state=gone", "state.0"],
    ["/v1/tenants?limit=0", "limit"],
    ["/v1/tenants?cursor=abc", "cursor"],
    ["/v1/inbox/x", "inboxId"],
  ] as const) {
    const answer = await api.inject({ url, headers });
    assert.deepEqual([answer.statusCode, answer.json().field], [400, field], url);
  }
});

test("a database that does not answer is a 503 that says to come again; another failure is a 500 without its text", async () => {
  const down = apiOver(async () => {
    throw Object.assign(new Error("connect ECONNREFUSED 127.0.0.1:5432"), { code: "ECONNREFUSED" });
  });
  const answer = await down.inject({ url: "/v1/tenants", headers });
  assert.deepEqual([answer.statusCode, answer.json().code], [503, "database-unreachable"]);
  assert.equal(answer.headers["retry-after"], "5");
  const broken = apiOver(async () => {
    throw new Error("the password is hunter2");
  });
  const failure = await broken.inject({ url: "/v1/tenants", headers });
  assert.equal(failure.statusCode, 500);
  assert.doesNotMatch(failure.body, /hunter2/);
});

test("an act without a reason is refused", async () => {
  const answer = await apiOver().inject({
    method: "POST",
    url: `/v1/sagas/${sagaId}/abort`,
    headers,
    payload: { reason: "  " },
  });
  assert.deepEqual([answer.statusCode, answer.json().field], [400, "reason"]);
});
