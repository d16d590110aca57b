import assert from "node:assert/strict";
import { after, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import {
  type Accepted,
  type ActAnswer,
  type ApiClient,
  ApiProblem,
  type Credentials,
  createApiClient,
  type DroppedOff,
  type HistoryEntry,
  type InboxEntry,
  type Saga,
  type SagaEvent,
  type SagaSummary,
  type Tenant,
} from "@deeplens/client";
import { tenantIdOf } from "@deeplens/contracts";
import { migrate } from "@deeplens/postgres";
import { memorySecrets } from "@deeplens/secrets/testing";
import { createLogger } from "@deeplens/telemetry";
import { testDatabase } from "@deeplens/testing";
import type { z } from "zod";
import { defaultSettings } from "../saga/settings.ts";
import { provisionKind } from "../testing/provision-kind.ts";
import { createApi } from "./create-api.ts";
import { fakeFleet } from "./fake-fleet.ts";
import { startFakeOwner } from "./fake-owner.ts";
import type * as schemas from "./schemas.ts";
import { insertHistory, insertSaga, insertTenant } from "./test-rows.ts";

// What the client library says of the API is what the API's own schemas say; this does not compile otherwise.
type Same<A, B> = [A] extends [B] ? true : never;
const same: [
  Same<z.infer<typeof schemas.acceptedSchema>, Accepted>,
  Same<z.infer<typeof schemas.tenantSchema>, Tenant>,
  Same<z.infer<typeof schemas.sagaSummarySchema>, SagaSummary>,
  Same<z.infer<typeof schemas.sagaSchema>, Saga>,
  Same<z.infer<typeof schemas.historyEntrySchema>, HistoryEntry>,
  Same<z.infer<typeof schemas.actAnswerSchema>, ActAnswer>,
  Same<z.infer<typeof schemas.inboxSchema>, InboxEntry>,
  Same<z.infer<typeof schemas.credentialsSchema>, Credentials>,
  Same<z.infer<typeof schemas.droppedOffSchema>, DroppedOff>,
] = [true, true, true, true, true, true, true, true, true];

const schema = "orchestrator";
const token = "a-token-of-the-tests-0123456789";

// Registered before the database's own clean-up: hooks run in this order.
after(async () => {
  await owner.stop();
  await api.close();
});
const { pool } = await testDatabase(after);
await migrate(pool, schema, new URL("../../migrations/", import.meta.url));
const api = createApi({
  pool,
  schema,
  log: createLogger("tests", "silent"),
  installation: "deeplens-test",
  shards: 6,
  settings: defaultSettings,
  kind: provisionKind,
  token,
  waitMs: 2_000,
  credentials: { revealed: async () => [{ purpose: "database.app", value: "a password" }] },
  dropOffs: memorySecrets().dropOffs,
  fleet: fakeFleet,
  keys: {
    inUse: async () => ({ current: "v2", versions: [{ version: "v2", known: true, secrets: 3 }] }),
    rewrap: async (atMost) => ({ moved: atMost, left: 0 }),
  },
});
const url = await api.listen({ host: "127.0.0.1", port: 0 });
const client: ApiClient = createApiClient({ url, token, actor: "Ada Löwe@laptop" });
const owner = startFakeOwner(pool, schema, async (body) => {
  if (body.kind === "act")
    return { ok: true, sagaId: body.sagaId, tenantId: body.tenantId, status: "running", repeated: false };
  if (body.kind === "accept")
    return body.stream === "requests"
      ? { ok: true, next: 7 }
      : { ok: false, code: "not-stopped", message: "replies of shard 1 is not stopped" };
  if (body.kind !== "request") throw new Error(`nobody asks for ${body.kind} here`);
  const { requestId, name } = body.request;
  const tenantId = tenantIdOf(body.source, requestId);
  if (name === "taken") return { ok: false, code: "slug-taken", message: "name: is taken", tenantId };
  return {
    ok: true,
    sagaId: await insertSaga(pool, schema, { slug: "acme", status: "running" }),
    tenantId,
    status: "running",
    repeated: false,
  };
});

const wish = (name: string) => ({
  name,
  tier: "free",
  storage: { type: "none" },
  administrator: { email: "ada@acme.example", firstName: "Ada", lastName: "Lovelace" },
});

test("the client library requests a tenant and follows its saga over a real connection", async () => {
  assert.equal(same.length, 9);
  const accepted = await client.requestTenant(wish("acme"), "order-1");
  assert.ok(accepted.sagaId !== null);
  const { sagaId } = accepted;
  await insertHistory(pool, schema, sagaId, "requested");
  const events: SagaEvent[] = [];
  const following = (async () => {
    for await (const event of client.follow(sagaId)) events.push(event);
  })();
  await delay(500);
  await insertHistory(pool, schema, sagaId, "StepCompleted");
  await pool.query(`UPDATE ${schema}.sagas SET status = 'ready', version = 2 WHERE saga_id = $1`, [sagaId]);
  await following;
  assert.deepEqual(
    events.map((event) => (event.type === "history" ? event.entry.event : event.type)),
    ["requested", "saga", "StepCompleted", "saga", "end"],
  );
  const history: string[] = [];
  for await (const { event } of client.history(sagaId)) history.push(event);
  assert.deepEqual(history, ["requested", "StepCompleted"]);
  assert.equal((await client.sagas({ slug: "acme", statuses: ["ready"] })).items[0]?.sagaId, sagaId);
  assert.equal((await client.inbox(accepted.inboxId)).result?.sagaId, sagaId);
});

test("credentials are dropped off by the client library", async () => {
  const { reference, provider } = await client.dropOff({ accountName: "acme", sasToken: "?sv=1&sig=hush" });
  assert.match(reference, /^drop:/);
  assert.equal(provider, "azure_blob");
});

test("a refusal comes as a typed error with what to do", async () => {
  const refused = await client.requestTenant(wish("taken"), "order-2").catch((error) => error);
  assert.ok(refused instanceof ApiProblem);
  assert.deepEqual([refused.problem.status, refused.problem.code], [409, "slug-taken"]);
  const stranger = createApiClient({ url, token: "wrong" });
  const unknown = await stranger.tenants().catch((error) => error);
  assert.ok(unknown instanceof ApiProblem);
  assert.equal(unknown.problem.code, "token-wrong");
});

test("tenants, acts and credentials by the client library; an actor's letters are made fit for a header", async () => {
  const tenantId = await insertTenant(pool, schema, { slug: "other", state: "ready" });
  const sagaId = await insertSaga(pool, schema, { tenantId, slug: "other", status: "stuck" });
  assert.equal((await client.tenant("other")).sagaId, sagaId);
  assert.equal((await client.tenants({ states: ["ready"], limit: 1 })).items.length, 1);
  const { status } = await client.act(sagaId, "resume", { reason: "the disk is free again" });
  assert.equal(status, "running");
  assert.deepEqual((await client.revealCredentials("other", "hand-over")).secrets, {
    "database.app": "a password",
  });
  const { rows } = await pool.query(
    `SELECT actor, action FROM ${schema}.audit WHERE subject = ANY ($1) ORDER BY id`,
    [[sagaId, tenantId]],
  );
  const actor = "Ada L?we@laptop";
  assert.deepEqual(rows, [
    { actor, action: "saga.resume" },
    { actor, action: "credentials.reveal" },
  ]);
});

test("shards by the client library: the act goes into the shard's own inbox; one that is not stopped is a conflict", async () => {
  await pool.query(
    `INSERT INTO ${schema}.shards (shard, requests_next, requests_stopped) VALUES (0, 9, NULL), (1, 7, 'made again')`,
  );
  const { items } = await client.shards();
  assert.deepEqual(items[1], {
    shard: 1,
    requests: { next: 7, stopped: "made again" },
    replies: { next: null, stopped: null },
  });
  const reason = "it was made again";
  const accepted = await client.acceptShard(1, { stream: "requests", from: "end", reason });
  assert.partialDeepStrictEqual(accepted, { shard: 1, stream: "requests", from: "end", next: 7 });
  assert.deepEqual(owner.applied.at(-1), {
    shard: 1,
    body: {
      kind: "accept",
      stream: "requests",
      from: "end",
      by: "Ada L?we@laptop",
      origin: "127.0.0.1",
      reason,
    },
  });
  for (const [shard, code] of [
    [1, "not-stopped"],
    [6, "shard-not-found"],
  ] as const) {
    const error = await client
      .acceptShard(shard, { stream: "replies", from: "beginning", reason })
      .catch((one) => one);
    assert.ok(error instanceof ApiProblem, String(error));
    assert.equal(error.problem.code, code);
  }
});

test("closing the API ends open event streams", async () => {
  const sagaId = await insertSaga(pool, schema, { slug: "slow", status: "running" });
  const gone = new AbortController();
  let heard = 0;
  const following = (async () => {
    for await (const _event of client.follow(sagaId, { signal: gone.signal, patienceMs: 0, pauseMs: 1 }))
      heard += 1;
  })().catch((error) => error);
  while (heard === 0) await delay(20);
  const startedMs = performance.now();
  await api.close();
  assert.ok(performance.now() - startedMs < 2_000, "close waited for the stream");
  gone.abort();
  await following;
});
