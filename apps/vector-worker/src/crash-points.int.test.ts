import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { type CleanUps, cleanUps } from "@deeplens/testing";
import { type CrashFixture, crashPoints } from "@deeplens/worker/testing";
import { QdrantClient } from "@qdrant/js-client-rest";
import { bindPort, type Rig, vectorRig } from "./testing/rig.ts";

const last: CleanUps = cleanUps();
let rig: Rig;
before(async () => {
  rig = await vectorRig(last);
});
after(() => last.run());

const freshFixture = (): CrashFixture => {
  const { tenantId, slug, container, volume, command, handler } = rig.tenant();
  const ours = { "deeplens.tenant-id": tenantId };
  const holder = { tenantId, slug, step: "vectors", fence: 1 };
  return {
    step: "vectors",
    handler,
    command,
    installation: rig.installation,
    verifyWhole: async ({ outputs }, { ledger, secrets }) => {
      const listed = await rig.engine.list(ours);
      assert.deepEqual(
        [...listed.containers, ...listed.volumes].map(({ name }) => name),
        [container, volume],
      );
      assert.equal(String((await rig.services.leases.find(holder))?.httpPort), outputs.httpPort);
      const client = new QdrantClient({
        url: `http://127.0.0.1:${outputs.httpPort}`,
        checkCompatibility: false,
        headers: { "api-key": secrets.values.get(`${tenantId}/vectors.api-key`) ?? "" },
      });
      assert.equal((await client.count("images")).count, 0);
      assert.ok(ledger.rows().every(({ state }) => state === "made"));
    },
    verifyGone: async (receipt, { ledger, secrets }) => {
      assert.equal(receipt.length, 4);
      assert.deepEqual(await rig.engine.list(ours), { containers: [], volumes: [] });
      assert.equal(await rig.services.leases.find(holder), undefined);
      assert.equal(secrets.values.size, 0);
      assert.ok(ledger.rows().every(({ state }) => state === "gone"));
    },
    dispose: async () => {
      await rig.engine.removeContainer(container);
      await rig.engine.removeVolume(volume);
    },
  };
};

// Seen to fail: with the file put only into a container just created (the key never comes when the crash lies between),
// with the lease freed before the container goes, and without the note that a Qdrant was looked into.
test("rule 12: whatever call the worker dies at, another try makes the tenant whole and an undo leaves nothing", async (t) => {
  await crashPoints(t, freshFixture);
});

test("rule 12: a worker that dies while it changes to another pair of ports is made good by another try, or undone", async (t) => {
  const program = cleanUps();
  await bindPort(rig.range.httpBase, program);
  const boundAgain = async (): Promise<CrashFixture> => {
    await rig.pool.query("DELETE FROM vectors.foreign_ports");
    return freshFixture();
  };
  try {
    await crashPoints(t, boundAgain, {
      stories: ["again", "undo"],
      without: [
        ...[
          "look for the image",
          "look for qdrant-volume",
          "create qdrant-volume",
          "look for qdrant-container",
        ],
        ...["see qdrant-container", "put the api key", "wait for qdrant", "ensure qdrant-collection"],
        ...["prove the key is asked for", "prove an upsert and a query"],
      ],
    });
  } finally {
    await program.run();
  }
});
