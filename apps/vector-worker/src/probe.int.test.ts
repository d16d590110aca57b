import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { type CleanUps, cleanUps } from "@deeplens/testing";
import { testContext } from "@deeplens/worker/testing";
import { probeVectors } from "./probe.ts";
import { arrive, type Rig, type TestTenant, vectorRig } from "./testing/rig.ts";

const last: CleanUps = cleanUps();
let rig: Rig;
let tenant: TestTenant;
let inputs: Record<string, string> = {};
before(async () => {
  rig = await vectorRig(last);
  tenant = rig.tenant();
  const { tenantId, slug } = tenant;
  await arrive(rig.pool, { tenantId, slug, step: "vectors", fence: 1 } as never);
  const { outputs } = await tenant.provision();
  inputs = Object.fromEntries(Object.entries(outputs).map(([key, value]) => [`vectors.${key}`, value]));
});
after(() => last.run());

const probe = async (told = inputs): Promise<Readonly<Record<string, string>>> => {
  const { command, ledger, secrets } = tenant;
  const context = testContext({
    ...{ step: "vectors", tenant: command.tenant, installation: rig.installation, ledger, secrets, fence: 0 },
  });
  const asked = { sagaId: "", operation: "probe", parameters: {}, inputs: told };
  const done = await probeVectors(rig.services)(
    { tenant: command.tenant, tier: "free", storage: "none", ...asked },
    context,
  );
  return done.outputs;
};

test("a tenant's Qdrant is seen with its own key: version, collections, points", async () => {
  const seen = await probe();
  assert.equal(seen.ok, "true", JSON.stringify(seen));
  assert.match(seen["vectors.version"] ?? "", /^\d+\.\d+/);
  assert.deepEqual([seen["vectors.collections"], seen["vectors.points"]], ["1", "0"]);
});

test("a collection that is not there, another port and a stopped container are drift", async () => {
  const collection = await probe({ ...inputs, "vectors.collection": "videos" });
  assert.match(collection.reason ?? "", /the collection videos is not there/);
  const port = await probe({ ...inputs, "vectors.httpPort": "1" });
  assert.match(port.reason ?? "", /does not publish port 1/);
  await rig.docker.getContainer(tenant.container).stop({ t: 0 });
  const stopped = await probe();
  assert.deepEqual([stopped.ok, stopped.code], ["false", "vectors-drift"]);
  assert.match(stopped.reason ?? "", /is stopped/);
  await rig.engine.removeContainer(tenant.container);
  assert.match((await probe()).reason ?? "", /is not there/);
});
