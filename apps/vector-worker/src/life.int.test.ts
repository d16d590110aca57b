import assert from "node:assert/strict";
import { once } from "node:events";
import { Agent, get } from "node:http";
import type { Socket } from "node:net";
import { after, before, test } from "node:test";
import { type CleanUps, cleanUps } from "@deeplens/testing";
import { type LifeFixture, lifeCrashPoints } from "@deeplens/worker/testing";
import { QdrantClient } from "@qdrant/js-client-rest";
import { type Rig, type TestTenant, vectorRig } from "./testing/rig.ts";

const last: CleanUps = cleanUps();
let rig: Rig;
before(async () => {
  rig = await vectorRig(last);
});
after(() => last.run());

const clientOf = (httpPort: string | undefined, key: string): QdrantClient =>
  new QdrantClient({
    url: `http://127.0.0.1:${httpPort}`,
    checkCompatibility: false,
    headers: { "api-key": key },
  });
const point = { id: 7, vector: [1, 0, 0, 0, 0, 0, 0, 0], payload: { photo: "lens" } };
const made = async () => {
  const tenant = rig.tenant();
  const { outputs } = await tenant.provision();
  const client = () => clientOf(outputs.httpPort, tenant.apiKey());
  await client().upsert("images", { wait: true, points: [point] });
  return { ...tenant, outputs, client };
};
const ports = ({ tenantId, slug }: TestTenant) =>
  rig.services.leases.find({ tenantId, slug, step: "vectors", fence: 1 });
const things = ({ tenantId }: TestTenant) => rig.engine.list({ "deeplens.tenant-id": tenantId });
const outcomes = ({ receipt }: Awaited<ReturnType<TestTenant["act"]>>) =>
  receipt.map(({ outcome }) => outcome);
const code = (wanted: string) => (error: unknown) => (error as { code?: string }).code === wanted;
const refused = (error: unknown): boolean => (error as { status?: number }).status === 401;

// Seen to fail without the new start: the tenant's key goes on being answered.
test("rule 17: suspended, the tenant's key is refused, its connections are ended, and backups have a key; resumed, all points are there under the same key", async () => {
  const tenant = await made();
  const key = tenant.apiKey();
  const agent = new Agent({ keepAlive: true });
  const connection = await new Promise<Socket>((resolve, reject) => {
    get(
      `http://127.0.0.1:${tenant.outputs.httpPort}/collections`,
      { agent, headers: { "api-key": key } },
      (response) => {
        const { socket } = response;
        response.resume().on("end", () => resolve(socket));
      },
    ).on("error", reject);
  });
  const closed = once(connection, "close");
  assert.deepEqual(outcomes(await tenant.act("suspend")), ["refused"]);
  await closed;
  await assert.rejects(tenant.client().getCollections(), refused);
  const backupKey = tenant.secrets.values.get(`${tenant.tenantId}/vectors.backup-key`) ?? "";
  assert.equal((await clientOf(tenant.outputs.httpPort, backupKey).count("images")).count, 1);
  assert.deepEqual(outcomes(await tenant.act("suspend")), ["refused"]);
  assert.equal(tenant.secrets.values.get(`${tenant.tenantId}/vectors.backup-key`), backupKey);

  const { outputs } = await tenant.act("resume", "resume");
  assert.equal(outputs.apiKeyRef, tenant.outputs.apiKeyRef);
  assert.equal(tenant.apiKey(), key);
  assert.equal((await tenant.client().count("images")).count, 1);
  await assert.rejects(clientOf(tenant.outputs.httpPort, backupKey).getCollections(), refused);
  assert.equal(tenant.secrets.values.size, 1);
});

test("restored with a new key on the same ports, the old key stays refused", async () => {
  const tenant = await made();
  const key = tenant.apiKey();
  await tenant.act("suspend");
  const { outputs } = await tenant.act("resume", "removal", { credentials: "new" });
  assert.match(outputs.apiKeyRef ?? "", /vectors.api-key\/2$/);
  await assert.rejects(clientOf(tenant.outputs.httpPort, key).getCollections(), refused);
  assert.equal((await tenant.client().count("images")).count, 1);
  assert.equal(String((await ports(tenant))?.httpPort), tenant.outputs.httpPort);
});

test("rule 17: purge destroys container and volume with their points, frees the ports, and finds nothing the second time", async () => {
  const tenant = await made();
  await tenant.act("suspend");
  // Killed by somebody in between: the look of a rollback is not needed, the points may go.
  await rig.docker.getContainer(tenant.container).kill();
  assert.deepEqual(outcomes(await tenant.act("purge")), Array(5).fill("removed"));
  assert.deepEqual(await things(tenant), { containers: [], volumes: [] });
  assert.equal(await ports(tenant), undefined);
  assert.equal(tenant.secrets.values.size, 0);
  const again = await tenant.act("purge", "removal", { purpose: "second-look" });
  assert.deepEqual(outcomes(again), Array(5).fill("absent"));
  assert.ok(tenant.ledger.rows().every(({ state }) => state === "gone"));
});

// Seen to fail with lifeOperations and removeResource that ask for no mark.
test("rule 17: a purge without the mark, or with another saga's, leaves every point and the ports", async () => {
  const tenant = await made();
  await assert.rejects(tenant.act("purge"), code("not-marked"));
  await tenant.act("suspend", "another removal");
  await assert.rejects(tenant.act("purge"), code("not-marked"));
  await tenant.act("resume", "undelete");
  assert.equal((await tenant.client().count("images")).count, 1);
  assert.notEqual(await ports(tenant), undefined);
});

test("a container that was killed is suspended all the same; one that somebody removed is not resumed", async () => {
  const tenant = await made();
  await rig.docker.getContainer(tenant.container).kill();
  assert.deepEqual(outcomes(await tenant.act("suspend")), ["refused"]);
  await assert.rejects(tenant.client().getCollections(), refused);
  await rig.engine.removeContainer(tenant.container);
  assert.deepEqual(outcomes(await tenant.act("suspend")), ["absent"]);
  await assert.rejects(tenant.act("resume"), code("qdrant-container-missing"));
});

test("rule 17: a suspend, a resume or a purge that dies anywhere is done again", async (t) => {
  await lifeCrashPoints(
    t,
    (): LifeFixture => {
      const tenant = rig.tenant();
      const answers = async (key: string | undefined): Promise<boolean> => {
        const pair = (await ports(tenant)) ?? assert.fail("no ports");
        const headers = { "api-key": key ?? "" };
        const { status } = await fetch(`http://127.0.0.1:${pair.httpPort}/collections`, { headers });
        return status === 200;
      };
      return {
        ...{ step: "vectors", handler: tenant.handler, command: tenant.command },
        installation: rig.installation,
        verifyWhole: async (_done, { secrets }) =>
          assert.ok(await answers(secrets.values.get(`${tenant.tenantId}/vectors.api-key`))),
        verifySuspended: async ({ secrets }) => {
          assert.ok(!(await answers(secrets.values.get(`${tenant.tenantId}/vectors.api-key`))));
          assert.ok(await answers(secrets.values.get(`${tenant.tenantId}/vectors.backup-key`)));
        },
        verifyGone: async (_receipt, { ledger, secrets }) => {
          assert.deepEqual(await things(tenant), { containers: [], volumes: [] });
          assert.equal(await ports(tenant), undefined);
          assert.equal(secrets.values.size, 0);
          assert.ok(ledger.rows().every(({ state }) => state === "gone"));
        },
        dispose: async () => {
          await rig.engine.removeContainer(tenant.container);
          await rig.engine.removeVolume(tenant.volume);
        },
      };
    },
    { without: ["look for the image", "look for its ports"] },
  );
});
