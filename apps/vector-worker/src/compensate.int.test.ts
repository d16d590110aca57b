import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { type CleanUps, cleanUps } from "@deeplens/testing";
import { PermanentStepError } from "@deeplens/worker";
import { QdrantClient } from "@qdrant/js-client-rest";
import { probePointId } from "./qdrant.ts";
import { type Rig, type TestTenant, vectorRig } from "./testing/rig.ts";

describe("undoing a tenant's vectors", () => {
  const last: CleanUps = cleanUps();
  let rig: Rig;
  before(async () => {
    rig = await vectorRig(last);
  });
  after(() => last.run());

  const clientOf = (tenant: TestTenant, httpPort: string | undefined): QdrantClient =>
    new QdrantClient({
      url: `http://127.0.0.1:${httpPort}`,
      checkCompatibility: false,
      headers: { "api-key": tenant.apiKey() },
    });

  const assertAllThere = async (tenant: TestTenant): Promise<void> => {
    assert.ok((await rig.engine.container(tenant.container)) !== undefined);
    assert.ok((await rig.engine.volume(tenant.volume)) !== undefined);
    assert.ok(tenant.apiKey().length > 30);
    assert.ok((await rig.services.leases.find(holderOf(tenant))) !== undefined);
  };

  const holderOf = ({ tenantId, slug }: TestTenant) => ({ tenantId, slug, step: "vectors", fence: 1 });

  const assertGone = async (tenant: TestTenant): Promise<void> => {
    assert.equal(await rig.engine.container(tenant.container), undefined);
    assert.equal(await rig.engine.volume(tenant.volume), undefined);
    assert.deepEqual(await rig.engine.list({ "deeplens.tenant-id": tenant.tenantId }), {
      containers: [],
      volumes: [],
    });
    assert.equal(await rig.services.leases.find(holderOf(tenant)), undefined);
    assert.equal(tenant.secrets.values.size, 0);
    assert.ok(tenant.ledger.rows().every(({ state }) => state === "gone"));
  };

  const notEmpty = (what: RegExp) => (error: unknown) => {
    assert.ok(error instanceof PermanentStepError);
    assert.equal(error.code, "not-empty");
    assert.match(error.message, what);
    return true;
  };

  test("everything goes, the receipt names it, and undone again it is absent", async () => {
    const tenant = rig.tenant();
    const { outputs } = await tenant.provision();
    const ports = `${outputs.httpPort}/${outputs.grpcPort}`;
    assert.deepEqual(await tenant.compensate(), [
      { kind: "qdrant-container", name: tenant.container, outcome: "removed" },
      { kind: "qdrant-volume", name: tenant.volume, outcome: "removed" },
      { kind: "qdrant-ports", name: ports, outcome: "removed" },
      { kind: "secret", name: "vectors.api-key", outcome: "removed" },
    ]);
    await assertGone(tenant);
    const again = await tenant.compensate();
    assert.deepEqual(
      again.map(({ outcome }) => outcome),
      ["absent", "absent", "absent", "absent"],
    );
  });

  test("a tenant that was never made is undone to nothing, and another one's things stay", async () => {
    const other = rig.tenant();
    await other.provision();
    const never = rig.tenant();
    assert.ok((await never.compensate()).every(({ outcome }) => outcome === "absent"));
    await assertAllThere(other);
  });

  test("a point that somebody wrote is not destroyed: the undo is refused, and everything stays", async () => {
    const tenant = rig.tenant();
    const { outputs } = await tenant.provision();
    const client = clientOf(tenant, outputs.httpPort);
    await client.upsert("images", { wait: true, points: [{ id: 1, vector: [0, 1, 0, 0, 0, 0, 0, 0] }] });
    await assert.rejects(tenant.compensate(), notEmpty(/holds points in collection images/));
    await assertAllThere(tenant);
    await client.delete("images", { wait: true, points: [1] });
    await tenant.compensate();
    await assertGone(tenant);
  });

  test("a collection of somebody's is not destroyed either", async () => {
    const tenant = rig.tenant();
    const { outputs } = await tenant.provision();
    await clientOf(tenant, outputs.httpPort).createCollection("theirs", {
      vectors: { size: 4, distance: "Dot" },
    });
    await assert.rejects(tenant.compensate(), notEmpty(/holds collections theirs/));
    await assertAllThere(tenant);
  });

  test("a container that does not run is started to look into it", async () => {
    const tenant = rig.tenant();
    const { outputs } = await tenant.provision();
    const client = clientOf(tenant, outputs.httpPort);
    await client.upsert("images", { wait: true, points: [{ id: 1, vector: [0, 1, 0, 0, 0, 0, 0, 0] }] });
    await rig.engine.stop(tenant.container, { graceMs: 2_000 });
    await assert.rejects(tenant.compensate(), notEmpty(/points/));
    await client.delete("images", { wait: true, points: [1] });
    await rig.engine.stop(tenant.container, { graceMs: 2_000 });
    await tenant.compensate();
    await assertGone(tenant);
  });

  test("the probe's point, left by a crash, is ours and no reason to stay", async () => {
    const tenant = rig.tenant();
    const { outputs } = await tenant.provision();
    await clientOf(tenant, outputs.httpPort).upsert("images", {
      wait: true,
      points: [{ id: probePointId, vector: [1, 0, 0, 0, 0, 0, 0, 0] }],
    });
    await tenant.compensate();
    await assertGone(tenant);
  });

  test("data whose container was removed by hand are not destroyed unseen", async () => {
    const tenant = rig.tenant();
    await tenant.provision();
    await rig.engine.removeContainer(tenant.container);
    await assert.rejects(tenant.compensate(), (error) => {
      assert.equal((error as { code?: string }).code, "contents-unknown");
      assert.match((error as Error).message, /remove container .* and volume .* by hand, then retry/);
      return true;
    });
    assert.ok((await rig.engine.volume(tenant.volume)) !== undefined);
    // The tenant's next try makes the container again, and then it can be looked into.
    await tenant.provision();
    await tenant.compensate();
    await assertGone(tenant);
  });

  test("a Qdrant that answered and then can't be asked is not removed unseen", async () => {
    const tenant = rig.tenant();
    await tenant.provision();
    await tenant.secrets.of(tenant.command.tenant.tenantId).remove("vectors.api-key");
    await assert.rejects(tenant.compensate(), /can't be looked into: its key is gone/);
    assert.ok((await rig.engine.container(tenant.container)) !== undefined);
  });

  test("a thing with the tenant's labels under another name stops the undo: nobody is told that all is gone", async () => {
    const tenant = rig.tenant();
    await tenant.provision();
    const { Config } = await rig.docker.getContainer(tenant.container).inspect();
    const copy = `${tenant.container}-copy`;
    await rig.docker.createContainer({ name: copy, Image: rig.services.image, Labels: Config.Labels });
    await assert.rejects(tenant.compensate(), new RegExp(`still there .*container ${copy}`));
    assert.ok((await rig.services.leases.find(holderOf(tenant))) !== undefined, "its ports were freed");
    assert.ok(tenant.secrets.values.size > 0, "its key was removed");
    await rig.engine.removeContainer(copy);
    await tenant.compensate();
    await assertGone(tenant);
  });

  // Seen to fail with `freePorts` before `removeResource`.
  test("ports are freed only once the container was seen gone", async () => {
    const tenant = rig.tenant({
      engine: { ...rig.engine, removeContainer: async () => {} },
    });
    await tenant.provision();
    await assert.rejects(tenant.compensate(), /still there after its removal/);
    await assertAllThere(tenant);
  });

  // Seen to fail with `removeKey` before `freePorts`.
  test("rule 16: the key is the last thing to go", async () => {
    const failing = new Error("the database is down");
    const tenant = rig.tenant({
      leases: {
        ...rig.services.leases,
        free: async () => {
          throw failing;
        },
      },
    });
    await tenant.provision();
    await assert.rejects(tenant.compensate(), failing);
    assert.ok(tenant.apiKey().length > 30);
  });

  test("rule 14: the second look and the sweep are the same undo, and find what landed late", async () => {
    const tenant = rig.tenant();
    await tenant.provision();
    await tenant.compensate();
    // A creation that was under way lands after the undo: started never, labelled as ever.
    await rig.engine.ensureVolume({
      name: tenant.volume,
      labels: { "deeplens.installation": rig.installation, "deeplens.tenant-id": tenant.tenantId },
    });
    const receipt = await tenant.compensate({ purpose: "second-look" });
    assert.equal(receipt[1]?.outcome, "removed");
    await assertGone(tenant);
  });
});
