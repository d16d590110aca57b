import assert from "node:assert/strict";
import { after, before, it } from "node:test";
import { databaseName } from "@deeplens/contracts";
import { quoteIdentifier } from "@deeplens/postgres";
import { cleanUps, stack } from "@deeplens/testing";
import { assertNamesWhatIsMissing, type WorkerRig, workerRig } from "@deeplens/testing/worker";
import type { TenantServer } from "./tenant-server.ts";
import { templateOf } from "./tenant-template.ts";
import { connected, openTenantServer, sweepPostgres, tenantAddress } from "./testing/postgres.ts";
import { freshTenant, provisionOf } from "./testing/tenants.ts";

// The process itself, as an installation of its own on the test installation's services.

const main = new URL("./main.ts", import.meta.url);
const tenant = freshTenant("main");
const last = cleanUps();
let server: TenantServer;
let rig: WorkerRig;

before(async () => {
  const { tenantDb, redis } = stack();
  server = openTenantServer();
  last.add(() => server.pool.end());
  last.add(() => removeTemplate());
  last.add(() => sweepPostgres(server, tenant));
  rig = await workerRig({
    ...{ step: "database", main, cleanUps: last },
    variables: {
      TENANT_DB_HOST: tenantDb.host,
      TENANT_DB_PORT: String(tenantDb.port),
      TENANT_DB_ADMIN_USER: tenantDb.adminUser,
      REDIS_HOST: redis.host,
      REDIS_PORT: String(redis.port),
      REDIS_ADMIN_USER: redis.adminUser,
    },
    secretVariables: {
      TENANT_DB_ADMIN_PASSWORD: tenantDb.password,
      REDIS_ADMIN_PASSWORD: redis.password,
    },
  });
});
after(() => last.run());

const removeTemplate = async (): Promise<void> => {
  const template = await templateOf(rig.installation);
  await server.pool.query(`ALTER DATABASE ${quoteIdentifier(template.database)} IS_TEMPLATE false`);
  await server.pool.query(`DROP DATABASE ${quoteIdentifier(template.database)}`);
  await server.pool.query(`DROP ROLE ${quoteIdentifier(template.role)}`);
};

it("the worker process does a command and undoes it, tells no secret, and stops within 10 s", async () => {
  const worker = rig.start();
  await rig.provision(provisionOf(tenant), { fence: 1 });
  const done = await rig.answer(tenant, 1);
  assert.ok(done.record === "StepCompleted", JSON.stringify(done));
  assert.equal(done.value.outputs.database, databaseName(tenant.slug));

  const secrets = rig.secrets.of(tenant.tenantId);
  const passwords: string[] = [];
  for (const purpose of ["database.app", "redis.user", "kafka.user"])
    passwords.push((await secrets.read(purpose)) ?? assert.fail(`${purpose} was not stored`));
  await connected(tenantAddress(server, tenant, passwords[0] ?? ""), (client) =>
    client.query("SELECT FROM images"),
  );

  await rig.undo(tenant, { fence: 2 });
  const undone = await rig.answer(tenant, 2);
  assert.ok(undone.record === "StepCompensated", JSON.stringify(undone));
  assert.equal(await secrets.read("database.app"), undefined);

  await worker.assertStopsCleanly();
  rig.assertToldNoSecret(worker, passwords);
});

it("a process without its environment names every variable that it misses, and exits 78", () =>
  assertNamesWhatIsMissing(main, [
    "TENANT_DB_HOST",
    "TENANT_DB_ADMIN_PASSWORD",
    "REDIS_ADMIN_PASSWORD",
    "KAFKA_BROKERS",
    "CONTROL_DB_PASSWORD",
    "DEEPLENS_MASTER_KEY",
  ]));
