/**
 * What a container of the vectors' image answers, called as the product calls it. The image is the installation's: the
 * stand-in where no image can be pulled, else Qdrant's own, and the suite holds for both.
 *
 * Expected answers come from Qdrant, never from the stand-in:
 * - API: the OpenAPI file of qdrant/qdrant v1.19.0, docs/redoc/master/openapi.json; its `info.description` has the worked
 *   examples whose points and scores are used here (https://api.qdrant.tech/api-reference)
 * - CONFIG: https://qdrant.tech/documentation/ops-configuration/configuration/, "Configuration Files"
 * - SECURITY: https://qdrant.tech/documentation/security/, "Authentication", and src/common/auth/mod.rs, src/actix/mod.rs (open paths)
 * - TEST: tests/openapi/ there, by file
 */
import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { stack } from "@deeplens/testing";
import { QdrantClient } from "@qdrant/js-client-rest";
import Docker from "dockerode";
import { tarOf } from "./tar-of.ts";

const apiKey = randomBytes(24).toString("hex");
const docker = new Docker();
let container: Docker.Container;
let url = "";
let client: QdrantClient;

before(async () => {
  container = await docker.createContainer({
    name: `${stack().installation}-conformance-qdrant-${randomBytes(4).toString("hex")}`,
    Image: stack().images.qdrant,
    Labels: { "deeplens.installation": stack().installation },
    ExposedPorts: { "6333/tcp": {} },
    HostConfig: { PortBindings: { "6333/tcp": [{ HostIp: "127.0.0.1", HostPort: "0" }] } },
  });
  // CONFIG: "Local Configuration: config/local.yaml"; the key is in the container before its first start.
  const local = tarOf("local.yaml", `service:\n  api_key: ${apiKey}\n`);
  await container.putArchive(local, { path: "/qdrant/config" });
  await startAndWait();
});
after(() => container?.remove({ force: true, v: true }));

const startAndWait = async (): Promise<void> => {
  await container.start();
  const { NetworkSettings } = await container.inspect();
  url = `http://127.0.0.1:${NetworkSettings.Ports["6333/tcp"]?.[0]?.HostPort}`;
  client = new QdrantClient({ url, apiKey, checkCompatibility: false });
  for (let attempt = 0; attempt < 100; attempt++) {
    if ((await fetch(`${url}/readyz`).catch(() => undefined))?.ok) return;
    await sleep(100);
  }
  throw new Error(`${url} did not get ready`);
};
const call = async (method: string, path: string, body?: unknown, key: string | undefined = apiKey) => {
  const headers = { "content-type": "application/json", ...(key ? { "api-key": key } : {}) };
  const answer = await fetch(url + path, {
    method,
    headers,
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await answer.text();
  return {
    status: answer.status,
    text,
    body: text.startsWith("{") ? (JSON.parse(text) as Envelope) : undefined,
  };
};
type Envelope = { result?: unknown; status: "ok" | { error: string }; time: number };
const refusedWith = (status: number) => (error: { status?: number }) => error.status === status;

/** The collection of the API's worked examples, under a name of the test's own. */
const examples = async (name: string): Promise<void> => {
  await client.createCollection(name, { vectors: { size: 4, distance: "Dot" } });
  await client.upsert(name, {
    wait: true,
    points: [
      { id: 1, vector: [0.05, 0.61, 0.76, 0.74], payload: { city: "Berlin" } },
      { id: 2, vector: [0.19, 0.81, 0.75, 0.11], payload: { city: ["Berlin", "London"] } },
      { id: 3, vector: [0.36, 0.55, 0.47, 0.94], payload: { city: ["Berlin", "Moscow"] } },
      { id: 4, vector: [0.18, 0.01, 0.85, 0.8], payload: { city: ["London", "Moscow"] } },
      { id: 5, vector: [0.24, 0.18, 0.22, 0.44], payload: { count: [0] } },
      { id: 6, vector: [0.35, 0.08, 0.11, 0.44] },
    ],
  });
};
const query = [0.2, 0.1, 0.9, 0.7];
const london = { should: [{ key: "city", match: { value: "London" } }] };

test("the probes and the root are open, and say what Qdrant's say", async () => {
  // API: /healthz, /livez, /readyz (examples), / (VersionInfo); SECURITY: src/actix/mod.rs, api_key_whitelist
  for (const [path, said] of Object.entries({
    "/healthz": "healthz check passed",
    "/livez": "healthz check passed",
    "/readyz": "all shards are ready",
  })) {
    const { status, text } = await call("GET", path, undefined, "");
    assert.deepEqual([status, text], [200, said]);
  }
  const root = JSON.parse((await call("GET", "/", undefined, "")).text) as { title: string; version: string };
  assert.match(root.title, /^qdrant - vector search engine/);
  assert.match(root.version, /^\d+\.\d+\.\d+$/);
});

test("the key in config/local.yaml is asked for: without it, or with another, 401", async () => {
  // SECURITY: "Unauthorized" of validate_request and its two texts; the key may also come as a bearer token
  const without = await call("GET", "/collections", undefined, "");
  assert.deepEqual(
    [without.status, without.text],
    [401, "Must provide an API key or an Authorization bearer token"],
  );
  const wrong = await call("GET", "/collections", undefined, `${apiKey}x`);
  assert.deepEqual([wrong.status, wrong.text], [401, "Invalid API key or JWT"]);
  const bearer = await fetch(`${url}/collections`, { headers: { authorization: `Bearer ${apiKey}` } });
  assert.equal(bearer.status, 200);
});

test("a collection is made once, described, and deleted", async () => {
  // API: description, "Create collection"; TEST: test_collection_exists.py; lib/storage/src/content_manager/collections_ops.rs (409, 404 texts)
  assert.deepEqual(
    (await call("PUT", "/collections/made", { vectors: { size: 4, distance: "Dot" } })).body?.result,
    true,
  );
  const again = await call("PUT", "/collections/made", { vectors: { size: 4, distance: "Dot" } });
  assert.deepEqual(
    [again.status, again.body?.status],
    [409, { error: "Wrong input: Collection `made` already exists!" }],
  );
  const info = await client.getCollection("made");
  assert.deepEqual([info.status, info.points_count], ["green", 0]);
  assert.deepEqual(info.config.params.vectors, { size: 4, distance: "Dot" });
  assert.deepEqual(
    [(await client.collectionExists("made")).exists, (await client.collectionExists("other")).exists],
    [true, false],
  );
  assert.ok((await client.getCollections()).collections.some(({ name }) => name === "made"));
  // API: /collections/{collection_name}/aliases, of a collection that nothing points to
  assert.deepEqual(await client.getCollectionAliases("made"), { aliases: [] });
  assert.equal(await client.deleteCollection("made"), true);
  const gone = await call("GET", "/collections/made");
  assert.deepEqual(
    [gone.status, gone.body?.status],
    [404, { error: "Not found: Collection `made` doesn't exist!" }],
  );
});

test("the worked examples of the API give the scores that it prints", async () => {
  // API: description, "Add points", "Search with filtering" (ids 4, 1, 3: 1.362, 1.273, 1.208; London: 4, 2: 1.362, 0.871)
  await examples("examples");
  const rounded = (points: { id: unknown; score: number }[]) =>
    points.map(({ id, score }) => [id, Number(score.toFixed(3))]);
  const plain = await client.query("examples", { query, limit: 3 });
  assert.deepEqual(rounded(plain.points), [
    [4, 1.362],
    [1, 1.273],
    [3, 1.208],
  ]);
  assert.equal(plain.points[0]?.payload ?? null, null, "no payload unless asked for");
  const filtered = await client.query("examples", { query, limit: 3, filter: london, with_payload: true });
  assert.deepEqual(rounded(filtered.points), [
    [4, 1.362],
    [2, 0.871],
  ]);
  assert.deepEqual(filtered.points[1]?.payload, { city: ["Berlin", "London"] });
  const likeOne = await client.query("examples", { query: 1, limit: 10 });
  assert.ok(
    !likeOne.points.some(({ id }) => id === 1),
    "API, QueryInterface: a point's id is not among its own neighbours",
  );
});

test("points are retrieved, scrolled page by page, counted, changed and deleted", async () => {
  // API: getPoints, scrollPoints (default limit 10, next_page_offset), countPoints, setPayload, overwritePayload, deletePayload, clearPayload, deletePoints
  await examples("points");
  const ids = (points: { id: string | number }[]) => points.map(({ id }) => id);
  const [first] = await client.retrieve("points", { ids: [1], with_vector: true });
  assert.ok(first !== undefined);
  assert.deepEqual(first.payload, { city: "Berlin" });
  assert.deepEqual(
    (first.vector as number[]).map((x) => Number(x.toFixed(2))),
    [0.05, 0.61, 0.76, 0.74],
  );
  const page = await client.scroll("points", { limit: 4 });
  assert.deepEqual([ids(page.points), page.next_page_offset], [[1, 2, 3, 4], 5]);
  const rest = await client.scroll("points", { limit: 4, offset: 5 });
  assert.deepEqual([ids(rest.points), rest.next_page_offset], [[5, 6], null]);
  assert.equal((await client.count("points", { filter: london, exact: true })).count, 2);

  await client.setPayload("points", { wait: true, points: [6], payload: { a: 1, b: 2 } });
  await client.deletePayload("points", { wait: true, points: [6], keys: ["b"] });
  await client.overwritePayload("points", { wait: true, points: [5], payload: { c: 3 } });
  await client.clearPayload("points", { wait: true, points: [4] });
  const changed = await client.retrieve("points", { ids: [4, 5, 6] });
  const payloads = Object.fromEntries(changed.map(({ id, payload }) => [id, payload]));
  assert.deepEqual(payloads, { 4: {}, 5: { c: 3 }, 6: { a: 1 } });

  const removed = await client.delete("points", { wait: true, filter: { must: [{ has_id: [5] }] } });
  assert.equal(removed.status, "completed", "API, UpdateStatus");
  await client.delete("points", { wait: true, points: [1, 2] });
  assert.equal((await client.getCollection("points")).points_count, 3, "TEST: test_delete_points.py");
  const unwaited = await call("PUT", "/collections/points/points", { points: [{ id: 9, vector: query }] });
  assert.equal(
    (unwaited.body?.result as { status?: string } | undefined)?.status,
    "acknowledged",
    "API, UpdateStatus",
  );
});

test("a payload index is made and shown", async () => {
  // API: createFieldIndex; CollectionInfo.payload_schema
  await examples("indexed");
  await client.createPayloadIndex("indexed", { wait: true, field_name: "city", field_schema: "keyword" });
  const { payload_schema } = await client.getCollection("indexed");
  assert.deepEqual([payload_schema.city?.data_type, payload_schema.city?.points], ["keyword", 4]);
});

test("what is wrong is refused whole: another dimension, a bad id, no such point, no JSON, no such path", async () => {
  // API: ErrorResponse; lib/segment "Vector dimension error: expected dim: {}, got {}", "No point with id {}"; StorageError texts
  await examples("wrong");
  const points = [
    { id: 10, vector: query },
    { id: 11, vector: [1, 2] },
  ];
  const dimension = await call("PUT", "/collections/wrong/points?wait=true", { points });
  const error = { error: "Wrong input: Vector dimension error: expected dim: 4, got 2" };
  assert.deepEqual([dimension.status, dimension.body?.status], [400, error]);
  assert.deepEqual(await client.retrieve("wrong", { ids: [10] }), []);
  assert.equal(
    (await call("PUT", "/collections/wrong/points", { points: [{ id: "x", vector: query }] })).status,
    400,
  );
  await assert.rejects(client.setPayload("wrong", { points: [99], payload: {} }), refusedWith(404));
  await assert.rejects(client.query("missing", { query }), refusedWith(404));
  const broken = await fetch(`${url}/collections/wrong/points`, {
    method: "PUT",
    headers: { "api-key": apiKey },
    body: "{",
  });
  assert.equal(broken.status, 400);
  assert.equal((await call("GET", "/nothing/here")).status, 404);
});

test("a snapshot is made, listed, downloaded, restored, and deleted", async () => {
  // TEST: test_snapshot.py, test_collection_snapshot_operations; API: SnapshotDescription, SnapshotRecover
  await examples("snapped");
  assert.deepEqual(await client.listSnapshots("snapped"), []);
  const snapshot = await client.createSnapshot("snapped");
  assert.ok(snapshot !== null);
  assert.match(snapshot.name, /^snapped-\d+-\d{4}(-\d\d){5}\.snapshot$/);
  assert.match(String(snapshot.creation_time), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d/);
  const [listed] = await client.listSnapshots("snapped");
  assert.deepEqual([listed?.name, listed?.checksum], [snapshot.name, snapshot.checksum]);
  const download = await fetch(`${url}/collections/snapped/snapshots/${snapshot.name}`, {
    headers: { "api-key": apiKey },
  });
  const bytes = Buffer.from(await download.arrayBuffer());
  assert.deepEqual(
    [bytes.length, createHash("sha256").update(bytes).digest("hex")],
    [snapshot.size, snapshot.checksum],
  );

  await client.delete("snapped", { wait: true, points: [1, 2, 3] });
  const location = `file:///qdrant/snapshots/snapped/${snapshot.name}`;
  await assert.rejects(
    client.recoverSnapshot("snapped", { location, checksum: "3".repeat(64) }),
    refusedWith(400),
  );
  assert.equal((await client.getCollection("snapped")).points_count, 3, "a wrong checksum changes nothing");
  assert.equal(
    await client.recoverSnapshot("snapped", {
      location,
      priority: "snapshot",
      checksum: snapshot.checksum ?? null,
    }),
    true,
  );
  assert.equal((await client.getCollection("snapped")).points_count, 6);

  const form = new FormData();
  form.append("snapshot", new Blob([bytes]), snapshot.name);
  const upload = await fetch(`${url}/collections/uploaded/snapshots/upload?priority=snapshot`, {
    method: "POST",
    headers: { "api-key": apiKey },
    body: form,
  });
  assert.equal(
    upload.status,
    200,
    "API: recoverFromUploadedSnapshot; a collection that is not there is made",
  );
  assert.equal((await client.query("uploaded", { query, limit: 1 })).points[0]?.id, 4);

  assert.equal(await client.deleteSnapshot("snapped", snapshot.name), true);
  assert.deepEqual(await client.listSnapshots("snapped"), []);
});

test("killed right after an answer, it starts again with everything that it had answered for", async () => {
  // API: `wait` of upsertPoints: "If true, wait for changes to actually happen"; https://qdrant.tech/documentation/concepts/storage/ ("Versioning": the WAL)
  await examples("killed");
  await client.upsert("killed", { wait: true, points: [{ id: 7, vector: query, payload: { last: true } }] });
  await container.kill({ signal: "SIGKILL" });
  await startAndWait();
  assert.equal((await client.getCollection("killed")).points_count, 7);
  assert.deepEqual((await client.retrieve("killed", { ids: [7] }))[0]?.payload, { last: true });
});
