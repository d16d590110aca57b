import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { randomSecret } from "@deeplens/secrets";
import { type CleanUps, cleanUps } from "@deeplens/testing";
import { stoppedProcess } from "@deeplens/worker/testing";
import { apiKeyPurpose } from "./tenant-qdrant.ts";
import { arrive, type Rig, type TestTenant, vectorRig } from "./testing/rig.ts";
import type { Stall } from "./testing/stalling-provision.ts";

const last: CleanUps = cleanUps();
let rig: Rig;
before(async () => {
  rig = await vectorRig(last);
});
after(() => last.run());

const script = new URL("./testing/stalling-provision.ts", import.meta.url);

/** Provisions in a process of its own until it has stopped itself there. */
const stoppedAt = async (tenant: TestTenant, stopAt: string, where: Stall["where"]) => {
  const { engine: _, leases: __, ...services } = rig.services;
  const { installation, database, range } = rig;
  const { command, secrets } = tenant;
  const { value: apiKey } = await secrets.of(command.tenant.tenantId).ensure(apiKeyPurpose, randomSecret);
  await arrive(rig.pool, holderOf(tenant, 1));
  const stall: Stall = {
    ...{ installation, database, range, command, services, apiKey, stopAt, where },
  };
  const stopped = await stoppedProcess(script, stall);
  last.add(async () => stopped.end());
  return stopped;
};

const holderOf = ({ tenantId, slug }: TestTenant, fence: number) => ({
  ...{ tenantId, slug, fence },
  step: "vectors",
});

const points: readonly [string, Stall["where"]][] = [
  ["create qdrant-volume", "inside"],
  ["lease ports", "before"],
  ["lease ports", "inside"],
  ["create qdrant-container", "before"],
  ["create qdrant-container", "inside"],
  ["start qdrant-container", "inside"],
  ["prove an upsert and a query", "inside"],
];

// Seen to fail with a deadline that has not passed when it goes on.
describe("rule 13, rule 14: a worker is stopped, given up and undone, and goes on: nothing is left", {
  concurrency: 4,
}, () => {
  for (const [stopAt, where] of points)
    test(`rule 13, rule 14: stopped ${where} "${stopAt}"`, async () => {
      const tenant = rig.tenant();
      const stopped = await stoppedAt(tenant, stopAt, where);
      await arrive(rig.pool, holderOf(tenant, 2));
      await tenant.compensate();
      assert.match(await stopped.goOn(), /Error: /);
      // What it had asked for just before may have come after the undo: the second look takes it away.
      await tenant.compensate({ purpose: "second-look" });
      const { containers, volumes } = await rig.engine.list({ "deeplens.tenant-id": tenant.tenantId });
      assert.deepEqual([...containers, ...volumes], []);
      assert.equal(await rig.engine.container(tenant.container), undefined);
      assert.equal(await rig.engine.volume(tenant.volume), undefined);
      assert.equal(await rig.services.leases.find(holderOf(tenant, 2)), undefined);
      assert.equal(tenant.secrets.values.size, 0);
    });
});
