import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { createServer } from "node:net";
import { test } from "node:test";
import { dockerEngine } from "@deeplens/containers";
import {
  containerName,
  networkName,
  type Slug,
  tenantIdOf,
  tenantLabels,
  tiers,
  volumeName,
} from "@deeplens/contracts";
import { stack } from "@deeplens/testing";
import { until } from "./fleet.ts";
import { createOwnEngine, whyNoOwnEngine } from "./own-engine.ts";

// The container engine ends without a farewell, as when the machine loses its power, and starts again. On an engine of
// the test's own: the machine's is never touched.

const freePort = async (): Promise<number> => {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === "object" && address !== null ? address.port : assert.fail("no port");
};

test("after the engine was cut off and started again, a tenant's container is back with its data, ports and key", {
  skip: (await whyNoOwnEngine()) ?? false,
  timeout: 150_000,
}, async (t) => {
  const own = createOwnEngine();
  t.after(() => own.remove());
  await own.start();
  const { qdrant: image } = stack().images;
  await own.take(image);

  // As the vector worker makes it (apps/vector-worker/src/tenant-qdrant.ts), by the same engine code.
  const installation = "dl-restart";
  const slug = "acme" as Slug;
  const tenant = { tenantId: tenantIdOf("/tests/faults", randomBytes(6).toString("hex")), slug };
  const labels = tenantLabels(installation, "qdrant", tenant);
  const [http, grpc] = [await freePort(), await freePort()];
  await own.createNetwork(networkName(installation));
  const engine = dockerEngine({ host: own.host });
  const container = containerName(installation, "qdrant", slug);
  const volume = volumeName(installation, "qdrant", slug);
  await engine.ensureVolume({ name: volume, labels });
  await engine.ensureContainer({
    ...{ name: container, image, labels, network: networkName(installation) },
    volumes: [{ name: volume, path: "/qdrant/storage" }],
    ports: [
      { container: 6333, address: "127.0.0.1", host: http },
      { container: 6334, address: "127.0.0.1", host: grpc },
    ],
    limits: { memoryBytes: tiers.free.vectorMemoryBytes, cpus: tiers.free.vectorCpus, pids: 1_024 },
  });
  const apiKey = randomBytes(24).toString("hex");
  const [uid = 0, gid = uid] = ((await engine.image(image))?.user || "0").split(":").map(Number);
  await engine.putFiles(container, [
    {
      path: "/qdrant/config/local.yaml",
      content: `service:\n  api_key: ${JSON.stringify(apiKey)}\n`,
      mode: 0o400,
      owner: { uid, gid },
    },
  ]);
  await engine.start(container);

  const url = `http://127.0.0.1:${http}`;
  const ask = async (path: string, init: RequestInit = {}): Promise<Response> => {
    const headers = { "content-type": "application/json", "api-key": apiKey, ...init.headers };
    return fetch(url + path, { ...init, headers, signal: AbortSignal.timeout(5_000) });
  };
  const put = async (path: string, body: object): Promise<void> => {
    const response = await ask(path, { method: "PUT", body: JSON.stringify(body) });
    assert.equal(response.status, 200, await response.text());
  };
  const untilItAnswers = () =>
    until("the tenant's Qdrant answers", 30_000, async () => {
      const response = await ask("/readyz").catch(() => undefined);
      if (response?.ok) return true;
      return { not: JSON.stringify(await engine.container(container).catch(() => undefined)) };
    });
  await untilItAnswers();
  await put("/collections/images", { vectors: { size: 4, distance: "Cosine" } });
  await put("/collections/images/points?wait=true", { points: [{ id: 7, vector: [1, 0, 0, 0] }] });
  const before = await engine.container(container);

  await own.cutOff();
  await assert.rejects(ask("/readyz"), "nothing answers while the engine is off");
  await own.start();

  await untilItAnswers();
  const now = await engine.container(container);
  assert.equal(now?.state, "running");
  assert.equal(now?.id, before?.id);
  assert.deepEqual(now?.ports, before?.ports);
  assert.deepEqual(now?.labels, before?.labels);
  const point = await ask("/collections/images/points/7");
  assert.equal(point.status, 200, await point.text());
  assert.equal((await ask("/collections", { headers: { "api-key": "another" } })).status, 401);
});
