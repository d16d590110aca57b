import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { cleanUps } from "@deeplens/testing";
import { assertNamesWhatIsMissing, type WorkerRig, workerRig } from "@deeplens/testing/worker";
import { QdrantClient } from "@qdrant/js-client-rest";
import { type Rig, vectorRig } from "./testing/rig.ts";

// The process itself, as an installation of its own on the test installation's services.

const main = new URL("./main.ts", import.meta.url);
const last = cleanUps();
let rig: Rig;
let worker: WorkerRig;

before(async () => {
  rig = await vectorRig(last);
  worker = await workerRig({
    ...{ step: "vectors", main, cleanUps: last, installation: rig.installation },
    database: { pool: rig.pool, address: rig.database },
    variables: {
      DOCKER_HOST: process.env.DOCKER_HOST ?? "",
      QDRANT_IMAGE: rig.services.image,
      QDRANT_REACH: "published",
      QDRANT_HTTP_PORT_BASE: String(rig.range.httpBase),
      QDRANT_GRPC_PORT_BASE: String(rig.range.grpcBase),
      QDRANT_PORT_PAIRS: "20",
    },
  });
});
after(() => last.run());

test("the worker process gives a tenant its vectors and undoes it, tells no secret, and stops within 10 s", async () => {
  const running = worker.start();
  const { command, container, volume } = rig.tenant();
  const { tenant } = command;
  await worker.provision(command, { fence: 1 });
  const done = await worker.answer(tenant, 1);
  assert.ok(done.record === "StepCompleted", JSON.stringify(done));
  const { outputs } = done.value;
  assert.equal(outputs.url, `http://${container}:6333`);
  assert.equal(outputs.vectorSize, "512");

  const secrets = worker.secrets.of(tenant.tenantId);
  const key = (await secrets.read("vectors.api-key")) ?? assert.fail("no key was stored");
  const client = new QdrantClient({
    url: `http://127.0.0.1:${outputs.httpPort}`,
    headers: { "api-key": key },
    checkCompatibility: false,
  });
  assert.equal((await client.count("images")).count, 0);

  await worker.undo(tenant, { fence: 2 });
  const undone = await worker.answer(tenant, 2);
  assert.ok(undone.record === "StepCompensated", JSON.stringify(undone));
  assert.deepEqual(
    undone.value.receipt.map(({ outcome }) => outcome),
    ["removed", "removed", "removed", "removed"],
  );
  assert.equal(await rig.engine.container(container), undefined);
  assert.equal(await rig.engine.volume(volume), undefined);
  assert.equal(await secrets.read("vectors.api-key"), undefined);

  await running.assertStopsCleanly();
  worker.assertToldNoSecret(running, [key]);
});

test("a process without its environment names every variable that it misses, and exits 78", () =>
  assertNamesWhatIsMissing(main, [
    "QDRANT_IMAGE",
    "KAFKA_BROKERS",
    "CONTROL_DB_PASSWORD",
    "DEEPLENS_MASTER_KEY",
  ]));

test("ports that meet are an error of the configuration too: exit 78, naming the variable", async () => {
  const { exited, log } = worker.start({ QDRANT_GRPC_PORT_BASE: String(rig.range.httpBase + 2) });
  assert.equal(await exited, 78);
  assert.match(log(), /QDRANT_GRPC_PORT_BASE: must be/);
});
