import assert from "node:assert/strict";
import { after, beforeEach, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { shardOf, storageRequestOf, type TenantId, tenantIdOf } from "@deeplens/contracts";
import { migrate } from "@deeplens/postgres";
import { createSecretStore, migrateSecrets, newMasterKeyLine } from "@deeplens/secrets";
import { createLogger } from "@deeplens/telemetry";
import { testDatabase } from "@deeplens/testing";
import { v4 } from "uuid";
import type { InboxBody, InboxResult } from "../saga/inbox.ts";
import { defaultSettings } from "../saga/settings.ts";
import { provisionKind } from "../testing/provision-kind.ts";
import { createApi } from "./create-api.ts";
import { fakeFleet } from "./fake-fleet.ts";
import { type FakeOwner, startFakeOwner } from "./fake-owner.ts";
import { acceptedSchema, credentialsSchema, sagaSchema, tenantSchema } from "./schemas.ts";
import { insertHistory, insertSaga, insertTenant } from "./test-rows.ts";

const schema = "orchestrator";
const token = "a-token-of-the-tests-0123456789";
const shards = 6;
const source = "/deeplens-test/api";
const headers = { authorization: `Bearer ${token}`, "x-deeplens-actor": "ada@laptop" };
const payload = {
  name: "Acme Corp",
  tier: "free",
  storage: { type: "deeplens" },
  administrator: { email: "ada@acme.example", firstName: "Ada", lastName: "Lovelace" },
};

let owner: FakeOwner | undefined;
let auditedBefore = 0;
let revealed: { tenantId: string; by: string; reason: string }[] = [];

// Registered before the database's own clean-up: hooks run in this order.
after(async () => {
  await owner?.stop();
  await api.close();
});
const { pool } = await testDatabase(after);
await migrate(pool, schema, new URL("../../migrations/", import.meta.url));
const secrets = createSecretStore(pool, newMasterKeyLine());
await migrateSecrets(pool);
const logged: string[] = [];
const api = createApi({
  pool,
  schema,
  log: createLogger("tests", "trace", { write: (line) => void logged.push(line) }),
  installation: "deeplens-test",
  shards,
  settings: defaultSettings,
  kind: provisionKind,
  token,
  waitMs: 1_000,
  credentials: {
    revealed: async (asked) => {
      revealed.push(asked);
      return [{ purpose: "database.app", value: "a password" }];
    },
  },
  dropOffs: secrets.dropOffs,
  fleet: fakeFleet,
  keys: {
    inUse: async () => ({ current: "v2", versions: [{ version: "v1", known: true, secrets: 300 }] }),
    rewrap: async (atMost) => ({ moved: atMost, left: 300 - atMost }),
  },
});

beforeEach(async () => {
  revealed = [];
  await owner?.stop();
  owner = undefined;
  // The audit can't be emptied: each test reads what came since it began.
  const { rows } = await pool.query(`SELECT coalesce(max(id), 0)::int AS id FROM ${schema}.audit`);
  auditedBefore = rows[0].id;
  await pool.query(
    `TRUNCATE ${["tenants", "sagas", "history", "inbox"].map((name) => `${schema}.${name}`).join(", ")}`,
  );
});

const answering = (answer: (body: InboxBody) => InboxResult): FakeOwner => {
  owner = startFakeOwner(pool, schema, answer);
  return owner;
};
const taking = (): FakeOwner =>
  answering((body) => {
    assert.equal(body.kind, "request");
    const tenantId = tenantIdOf(source, (body as { request: { requestId: string } }).request.requestId);
    return { ok: true, sagaId: v4(), tenantId, status: "running", repeated: false };
  });
const post = (key: string, body: object = payload) =>
  api.inject({
    method: "POST",
    url: "/v1/tenants",
    headers: { ...headers, "idempotency-key": key },
    payload: body,
  });

test("a request goes through the inbox of its slug's shard, and is answered with its saga", async () => {
  const { applied } = taking();
  const answer = await post("order-1");
  assert.equal(answer.statusCode, 202);
  const accepted = acceptedSchema.parse(answer.json());
  assert.equal(accepted.tenantId, tenantIdOf(source, "order-1"));
  assert.equal(accepted.slug, "acme-corp");
  assert.equal(answer.headers.location, `/v1/sagas/${accepted.sagaId}`);
  assert.equal(applied[0]?.shard, shardOf("acme-corp", shards));
  const { body } = applied[0] as { body: Extract<InboxBody, { kind: "request" }> };
  assert.equal(body.source, source);
  assert.deepEqual(
    { ...body.request, requestedAt: "" },
    {
      ...payload,
      requestId: "order-1",
      storage: storageRequestOf({ type: "deeplens" }),
      requestedAt: "",
    },
  );
});

test("a repeated request is answered 200 with what it got before", async () => {
  const tenantId = tenantIdOf(source, "order-1");
  answering(() => ({ ok: true, sagaId: v4(), tenantId, status: "ready", repeated: true }));
  const answer = await post("order-1");
  assert.deepEqual([answer.statusCode, answer.json().repeated, answer.json().status], [200, true, "ready"]);
});

test("a name that gives no slug goes through the inbox as well: the shard's owner refuses and remembers it", async () => {
  const { applied } = answering(() => ({
    ok: false,
    code: "name-empty",
    message: "name: nothing is left as a slug",
  }));
  const answer = await post("order-2", { ...payload, name: "🦊🦊" });
  assert.equal(answer.statusCode, 422);
  assert.deepEqual([answer.json().code, answer.json().field], ["name-empty", "name"]);
  assert.match(answer.json().detail, /🦊/);
  assert.equal(applied[0]?.shard, shardOf("🦊🦊", shards));
});

test("a taken name and a key used for another request are conflicts", async () => {
  for (const code of ["slug-taken", "request-id-reused"]) {
    await owner?.stop();
    answering(() => ({ ok: false, code, message: "name: is another tenant's" }));
    const answer = await post("order-3");
    assert.deepEqual([answer.statusCode, answer.json().code], [409, code]);
  }
});

test("when no owner takes the row in time the caller gets the tenant's id and where to look, and the row stays", async () => {
  const answer = await post("order-4");
  assert.equal(answer.statusCode, 202);
  const { inboxId, sagaId, status, tenantId } = acceptedSchema.parse(answer.json());
  assert.deepEqual([sagaId, status, tenantId], [null, "waiting", tenantIdOf(source, "order-4")]);
  const look = () => api.inject({ url: `/v1/inbox/${inboxId}`, headers });
  assert.equal((await look()).json().doneAt, null);
  taking();
  while ((await look()).json().doneAt === null) await delay(10);
  assert.equal((await look()).json().result.tenantId, tenantId);
});

test("a waiting owner is woken by a notification that names the shard", async (t) => {
  const client = await pool.connect();
  t.after(() => client.release());
  const heard = new Promise<string | undefined>((resolve) =>
    client.on("notification", ({ channel, payload: shard }) => resolve(`${channel} ${shard}`)),
  );
  await client.query("LISTEN saga_inbox");
  taking();
  await post("order-5");
  assert.equal(await heard, `saga_inbox ${shardOf("acme-corp", shards)}`);
  await client.query("UNLISTEN *");
});

test("tenants come newest first, page by page, without a gap or a double, and by state", async () => {
  const slugs = [];
  for (let number = 0; number < 7; number++) {
    const slug = `tenant-${number}`;
    // Three by three in the same microsecond: only the id tells them apart.
    const at = `2026-01-01T00:00:00.00000${Math.floor(number / 3)}Z`;
    await insertTenant(pool, schema, { slug, at, state: number % 2 === 0 ? "ready" : "rolled-back" });
    slugs.push(slug);
  }
  const seen: string[] = [];
  for (let next: string | null = ""; next !== null; ) {
    const cursor: string = next === "" ? "" : `&cursor=${next}`;
    const answer = await api.inject({ url: `/v1/tenants?limit=2${cursor}`, headers });
    const page: { items: { slug: string }[]; next: string | null } = answer.json();
    for (const item of page.items) seen.push(tenantSchema.parse(item).slug);
    next = page.next;
  }
  assert.deepEqual(seen.toSorted(), slugs);
  const ready = await api.inject({ url: "/v1/tenants?state=ready,stuck", headers });
  assert.equal(ready.json().items.length, 4);
});

test("a tenant is found by its slug, the latest that had it, and by its id", async () => {
  const first = await insertTenant(pool, schema, {
    slug: "acme",
    state: "rolled-back",
    at: "2026-01-01T00:00:00Z",
  });
  const second = await insertTenant(pool, schema, {
    slug: "acme",
    state: "ready",
    at: "2026-01-02T00:00:00Z",
  });
  const sagaId = await insertSaga(pool, schema, { tenantId: second, slug: "acme", status: "ready" });
  const bySlug = tenantSchema.parse((await api.inject({ url: "/v1/tenants/acme", headers })).json());
  assert.deepEqual([bySlug.tenantId, bySlug.sagaId, bySlug.limits?.users], [second, sagaId, 5]);
  const byId = tenantSchema.parse((await api.inject({ url: `/v1/tenants/${first}`, headers })).json());
  assert.deepEqual([byId.state, byId.sagaId], ["rolled-back", null]);
});

test("a saga shows its steps in order, what failed, what it waits for and the receipt of the undo", async () => {
  const sagaId = await insertSaga(pool, schema, {
    slug: "acme",
    status: "compensating",
    states: {
      database: "undoing",
      storage: "undone",
      vectors: "backingOff",
      backup: "pending",
      identity: "pending",
    },
    error: { step: "storage", code: "bucket-owned-by-other", message: "the bucket is another's" },
    timers: {
      database: { kind: "deadline", dueMs: Date.parse("2026-01-01T00:00:10Z"), fence: 3 },
      vectors: { kind: "backOff", dueMs: Date.parse("2026-01-01T00:00:05Z"), fence: 2 },
    },
    steps: {
      vectors: {
        fence: 2,
        attempts: { do: 3, undo: 0, look: 0 },
        error: { code: "vectors-not-ready", message: "the engine does not answer" },
      },
      storage: {
        fence: 1,
        attempts: { do: 2, undo: 1, look: 0 },
        receipt: [{ kind: "bucket", name: "deeplens-acme", outcome: "foreign" }],
        error: { code: "bucket-owned-by-other", message: "the bucket is another's" },
      },
    },
  });
  const saga = sagaSchema.parse((await api.inject({ url: `/v1/sagas/${sagaId}`, headers })).json());
  assert.deepEqual(
    saga.steps.map(({ step, phase }) => [step, phase]),
    [
      ["database", "undoing"],
      ["storage", "undone"],
      ["vectors", "retrying"],
      ["backup", "waiting"],
      ["identity", "waiting"],
    ],
  );
  // Of what it is at: the undo's tries are not those of the work.
  assert.deepEqual([saga.steps[1]?.attempts, saga.steps[1]?.nextTryAt], [1, null]);
  const { attempts, attemptsAtMost, nextTryAt, error } = saga.steps[2] ?? {};
  assert.deepEqual(
    { attempts, attemptsAtMost, nextTryAt, error },
    {
      attempts: 3,
      attemptsAtMost: 5,
      nextTryAt: "2026-01-01T00:00:05.000Z",
      error: { code: "vectors-not-ready", message: "the engine does not answer" },
    },
  );
  assert.deepEqual(saga.steps[1]?.receipt, [{ kind: "bucket", name: "deeplens-acme", outcome: "foreign" }]);
  assert.equal(saga.error?.step, "storage");
  assert.deepEqual(
    saga.waitingFor.map(({ timer, step, until }) => [timer, step, until]),
    [
      ["backOff", "vectors", "2026-01-01T00:00:05.000Z"],
      ["deadline", "database", "2026-01-01T00:00:10.000Z"],
    ],
  );
});

test("sagas are listed by status, by the step of their error and by slug", async () => {
  const error = { step: "storage", code: "x", message: "y" };
  await insertSaga(pool, schema, { slug: "acme", status: "stuck", error });
  await insertSaga(pool, schema, { slug: "acme", status: "ready" });
  await insertSaga(pool, schema, { slug: "other", status: "closed", error });
  const count = async (query: string): Promise<number> =>
    (await api.inject({ url: `/v1/sagas?${query}`, headers })).json().items.length;
  assert.equal(await count(""), 3);
  assert.equal(await count("status=stuck,closed"), 2);
  assert.equal(await count("step=storage"), 2);
  assert.equal(await count("step=storage&slug=acme"), 1);
  assert.equal(await count("step=vectors"), 0);
});

test("an act is a row in the saga's shard, and its answer is the saga's state after it; it is on record", async () => {
  const tenantId = v4();
  const sagaId = await insertSaga(pool, schema, { tenantId, slug: "acme", status: "stuck" });
  const { applied } = answering(() => ({ ok: true, sagaId, tenantId, status: "running", repeated: false }));
  const answer = await api.inject({
    method: "POST",
    url: `/v1/sagas/${sagaId}/retry`,
    headers,
    payload: { reason: "the disk is free again", step: "storage" },
  });
  assert.deepEqual([answer.statusCode, answer.json().status], [200, "running"]);
  assert.equal(applied[0]?.shard, shardOf("acme", shards));
  assert.deepEqual(applied[0]?.body, {
    kind: "act",
    act: "retry",
    sagaId,
    tenantId,
    step: "storage",
    by: "ada@laptop",
    origin: "127.0.0.1",
    reason: "the disk is free again",
  });
  const { rows } = await pool.query(
    `SELECT actor, action, subject, reason, outcome FROM ${schema}.audit WHERE id > $1`,
    [auditedBefore],
  );
  assert.deepEqual(rows, [
    {
      actor: "ada@laptop",
      action: "saga.retry",
      subject: sagaId,
      reason: "the disk is free again",
      outcome: "running",
    },
  ]);
});

test("an act on a saga that moved on is a conflict that names its present state", async () => {
  const sagaId = await insertSaga(pool, schema, { slug: "acme", status: "running" });
  answering(() => ({ ok: false, code: "already-ready", message: "tenant acme is ready", state: "ready" }));
  const answer = await api.inject({
    method: "POST",
    url: `/v1/sagas/${sagaId}/abort`,
    headers,
    payload: { reason: "wrong customer" },
  });
  assert.deepEqual(
    [answer.statusCode, answer.json().code, answer.json().state],
    [409, "already-ready", "ready"],
  );
});

test("credentials are shown of a ready tenant only, and who asked and why is on record", async () => {
  const tenantId = await insertTenant(pool, schema, { slug: "acme", state: "provisioning" });
  const reveal = () =>
    api.inject({
      method: "POST",
      url: "/v1/tenants/acme/credentials/reveal",
      headers,
      payload: { reason: "hand-over" },
    });
  const early = await reveal();
  assert.deepEqual([early.statusCode, early.json().state, revealed.length], [409, "provisioning", 0]);
  await pool.query(`UPDATE ${schema}.tenants SET state = 'ready'`);
  const answer = await reveal();
  assert.equal(answer.statusCode, 200);
  assert.equal(answer.headers["cache-control"], "no-store");
  assert.deepEqual(credentialsSchema.parse(answer.json()).secrets, { "database.app": "a password" });
  assert.deepEqual(revealed, [{ tenantId, by: "ada@laptop", reason: "hand-over" }]);
  const { rows } = await pool.query(
    `SELECT actor, action, subject, outcome FROM ${schema}.audit WHERE id > $1`,
    [auditedBefore],
  );
  assert.deepEqual(rows, [
    { actor: "ada@laptop", action: "credentials.reveal", subject: tenantId, outcome: "shown" },
  ]);
});

test("history is read page by page", async () => {
  const sagaId = await insertSaga(pool, schema, { slug: "acme", status: "running" });
  for (const event of ["requested", "StepCompleted", "StepFailed"])
    await insertHistory(pool, schema, sagaId, event);
  const first = (await api.inject({ url: `/v1/sagas/${sagaId}/history?limit=2`, headers })).json();
  assert.deepEqual(
    first.items.map(({ event }: { event: string }) => event),
    ["requested", "StepCompleted"],
  );
  const rest = (
    await api.inject({ url: `/v1/sagas/${sagaId}/history?limit=2&after=${first.next}`, headers })
  ).json();
  assert.deepEqual(
    rest.items.map(({ event }: { event: string }) => event),
    ["StepFailed"],
  );
  assert.equal(rest.next, null);
});

test("an event stream gives what was, then what comes, and ends with the saga", async () => {
  const sagaId = await insertSaga(pool, schema, { slug: "acme", status: "running" });
  await insertHistory(pool, schema, sagaId, "requested");
  const stream = api.inject({ url: `/v1/sagas/${sagaId}/events`, headers });
  await delay(400);
  const last = await insertHistory(pool, schema, sagaId, "StepCompleted");
  await pool.query(`UPDATE ${schema}.sagas SET status = 'ready', version = version + 1, next_due = NULL`);
  const answer = await stream;
  assert.equal(answer.headers["content-type"], "text/event-stream; charset=utf-8");
  const names = [...answer.body.matchAll(/^event: (.*)$/gm)].map((match) => match[1]);
  assert.deepEqual(names, ["history", "saga", "history", "saga", "end"]);
  assert.match(answer.body, new RegExp(`^id: ${last}$`, "m"));
  const resumed = await api.inject({
    url: `/v1/sagas/${sagaId}/events`,
    headers: { ...headers, "last-event-id": String(last) },
  });
  assert.doesNotMatch(resumed.body, /event: history/);
  assert.match(resumed.body, /event: end\ndata: {"status":"ready"}/);
});

const dropOff = (body: object) => api.inject({ method: "POST", url: "/v1/secrets", headers, payload: body });
const key = { accessKeyId: "AKIAIOSFODNN7EXAMPLE", secretAccessKey: "hush-hush" };

test("credentials are dropped off: a reference comes back, who brought them is recorded, and no log has them", async () => {
  const answer = await dropOff({ credentials: key });
  assert.equal(answer.statusCode, 201);
  const { reference, provider, expiresAt } = answer.json();
  assert.equal(provider, "aws_s3");
  const waits = Date.parse(expiresAt) - Date.now();
  assert.ok(waits > 23 * 3_600_000 && waits <= 24 * 3_600_000, expiresAt);
  const { rows } = await pool.query(
    `SELECT actor, action, subject, outcome FROM ${schema}.audit WHERE id > $1`,
    [auditedBefore],
  );
  assert.deepEqual(rows, [
    { actor: "ada@laptop", action: "secret.drop-off", subject: reference, outcome: "stored" },
  ]);
  const stored = await secrets.of(v4() as TenantId).adopt(reference, "storage.byos");
  assert.deepEqual(JSON.parse(stored.value), { provider: "aws_s3", ...key });
  assert.ok(!logged.join().includes("hush"));
});

test("what is no credential is refused, and neither the answer nor a log repeats it", async () => {
  for (const [payload, status] of [
    [{ credentials: { password: "hush" } }, 422],
    [{ credentials: { accessKeyId: "hush" } }, 422],
    [{ credentials: "hush" }, 400],
    [{ secret: "hush" }, 400],
    ['{"credentials": hush}', 400],
  ] as const) {
    const answer = await api.inject({
      ...{ method: "POST", url: "/v1/secrets", payload: payload as object },
      headers: { ...headers, "content-type": "application/json" },
    });
    assert.equal(answer.statusCode, status, JSON.stringify(payload));
    assert.ok(!answer.body.includes("hush"), answer.body);
  }
  assert.ok(!logged.join().includes("hush"));
});

test("a request that names credentials that it can't have is refused before it is put anywhere", async () => {
  const { applied } = taking();
  const at = (credentialRef: string, provider = "aws_s3") => ({
    ...payload,
    storage: {
      type: "byos",
      provider,
      bucket: "acme",
      region: provider === "gcs" ? null : "eu-central-1",
      credentialRef,
    },
  });
  const bring = async (): Promise<string> => (await dropOff({ credentials: key })).json().reference;
  const mine = await bring();
  const answer = await post("byos-1", at(mine));
  assert.equal(answer.statusCode, 202);
  const others = await bring();
  await secrets.of(v4() as TenantId).adopt(others, "storage.byos");
  for (const [body, code] of [
    [at(`drop:${v4()}`), "credentials-unknown"],
    [at(others), "credentials-of-other-tenant"],
    [at(mine, "gcs"), "credentials-of-other-kind"],
  ] as const) {
    const refused = await post(`byos-${code}`, body);
    assert.deepEqual([refused.statusCode, refused.json().code], [422, code]);
    assert.equal(refused.json().field, "storage.credentialRef");
  }
  const secret = await post("byos-2", at("AKIAIOSFODNN7EXAMPLE"));
  assert.deepEqual([secret.statusCode, secret.json().field], [400, "storage.credentialRef"]);
  assert.equal(applied.length, 1);
  // Repeated when its credentials are gone: the answer that it got.
  await pool.query(`INSERT INTO ${schema}.requests VALUES ($1, 'byos-3', '', $2, NULL, NULL, now())`, [
    source,
    tenantIdOf(source, "byos-3"),
  ]);
  assert.equal((await post("byos-3", at(`drop:${v4()}`))).statusCode, 202);
});

test("a step of a rotation says what it moved and what is left, and is recorded with who and why", async () => {
  const answer = await api.inject({
    method: "POST",
    url: "/v1/keys/rewrap",
    headers,
    payload: { reason: "the yearly one", atMost: 100 },
  });
  assert.deepEqual(answer.json(), { current: "v2", moved: 100, left: 200 });
  const { rows } = await pool.query(
    `SELECT actor, action, subject, reason, outcome FROM ${schema}.audit WHERE id > $1`,
    [auditedBefore],
  );
  assert.deepEqual(rows, [
    {
      actor: "ada@laptop",
      action: "keys.rewrap",
      subject: "v2",
      reason: "the yearly one",
      outcome: "moved 100, left 200",
    },
  ]);
  const keys = await api.inject({ url: "/v1/keys", headers });
  assert.equal(keys.json().versions[0].secrets, 300);
});
