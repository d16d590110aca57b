import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { after, afterEach, before, beforeEach, it } from "node:test";
import { promisify } from "node:util";
import {
  backupRoleName,
  databaseName,
  replacedDatabaseName,
  restoredDatabaseName,
} from "@deeplens/contracts";
import { createClient } from "@deeplens/postgres";
import { stack } from "@deeplens/testing";
import type { Tenant } from "@deeplens/worker";
import { restoreOperations } from "./restore.ts";
import { databaseBackupSecret, databaseSecret, tenantDatabases } from "./tenant-databases.ts";
import type { TenantServer } from "./tenant-server.ts";
import {
  connected,
  openTenantServer,
  postgresThings,
  sweepPostgres,
  tenantAddress,
} from "./testing/postgres.ts";
import { permanently, type Stage, stageOf } from "./testing/stage.ts";
import { freshTenant } from "./testing/tenants.ts";

const run = promisify(execFile);
let server: TenantServer;
let tenant: Tenant;
let stage: Stage;

before(() => {
  server = openTenantServer();
});
after(() => server.pool.end());
beforeEach(async () => {
  tenant = freshTenant("restore");
  stage = stageOf({ ...tenantDatabases(server), operations: restoreOperations(server) }, tenant);
  await stage.provision();
});
afterEach(() => sweepPostgres(server, tenant));

const asTenant = async (statement: string): Promise<unknown[]> =>
  connected(tenantAddress(server, tenant, await stage.secret(databaseSecret)), async (client) => {
    const { rows } = await client.query(statement);
    return rows;
  });
const names = () => asTenant("SELECT name FROM collections ORDER BY 1").then((rows) => JSON.stringify(rows));
const add = (name: string) => asTenant(`INSERT INTO collections (name) VALUES ('${name}')`);
const databases = async (): Promise<string[]> =>
  (await postgresThings(server, tenant)).filter((thing) => thing.startsWith("database "));

/** The live database's rows as they are now, restored as the agent does it: as the backup's role, with its password. */
const fill = async (): Promise<void> => {
  const [live, restored] = [databaseName(tenant.slug), restoredDatabaseName(tenant.slug)];
  const password = await stage.secret(databaseBackupSecret);
  const as = `--host=127.0.0.1 --username=${backupRoleName(tenant.slug)} --no-password`;
  const command = `PATH=$PATH:$(ls -d /usr/lib/postgresql/*/bin | tail -n 1); pg_dump ${as} -Fc ${live} | pg_restore ${as} --exit-on-error --no-owner --no-privileges --dbname=${restored}`;
  await run("docker", [
    ...["exec", "--env", `PGPASSWORD=${password}`, `${stack().installation}-postgres`],
    ...["sh", "-c", command],
  ]);
};

it("a restored database takes the live one's place, sessions or not, and can be switched back", async () => {
  await add("before");
  const opened = await stage.act("restore-open", "restore");
  assert.equal(opened.outputs.database, restoredDatabaseName(tenant.slug));
  await fill();
  await add("since");
  const address = tenantAddress(server, tenant, await stage.secret(databaseSecret));
  const session = createClient(address, "a session of the tenant's");
  const ended = new Promise((resolve) => session.once("end", resolve));
  session.on("error", () => undefined);
  await session.connect();
  await stage.act("restore-switch", "restore");
  await ended;
  assert.equal(await names(), '[{"name":"before"}]');
  await add("after"); // its rights and defaults are those of a tenant that was made
  await stage.act("restore-switch", "restore"); // again, as after a crash
  assert.equal(await names(), '[{"name":"after"},{"name":"before"}]');
  assert.deepEqual(await databases(), [
    `database ${databaseName(tenant.slug)}`,
    `database ${replacedDatabaseName(tenant.slug)}`,
  ]);
  await stage.act("restore-switch-back", "restore");
  await stage.act("restore-switch-back", "restore");
  assert.equal(await names(), '[{"name":"before"},{"name":"since"}]');
  await stage.act("restore-drop", "restore");
  assert.deepEqual(await databases(), [`database ${databaseName(tenant.slug)}`]);
});

it("undone before the switch, the live database is as it was, and nothing is left beside it", async () => {
  await add("before");
  await stage.act("restore-open", "restore");
  const undone = await stage.act("restore-switch-back", "restore");
  assert.equal(undone.receipt[0]?.outcome, "as-it-was");
  await stage.act("restore-drop", "restore");
  assert.equal((await stage.act("restore-drop", "restore")).receipt[0]?.outcome, "absent");
  assert.equal(await names(), '[{"name":"before"}]');
  assert.deepEqual(await databases(), [`database ${databaseName(tenant.slug)}`]);
});

it("a second restore begins with an empty one, and replaces what the first one put aside", async () => {
  for (const name of ["first", "second"]) {
    await add(name);
    await stage.act("restore-open", name);
    await stage.act("restore-open", name);
    await fill();
    await stage.act("restore-switch", name);
  }
  assert.equal(await names(), '[{"name":"first"},{"name":"second"}]');
  assert.equal((await databases()).length, 2);
});

it("what was replaced and what is live change places, back and forth, and the end drops what stands aside", async () => {
  await add("before");
  await stage.act("restore-open", "restore");
  await fill();
  await add("replaced");
  const { outputs: switched } = await stage.act("restore-switch", "restore");
  assert.match(switched.templateVersion ?? "", /^\d{4}$/);
  await add("restored");
  const places = ["live", "replaced"].map(
    (which) => `database ${which === "live" ? databaseName(tenant.slug) : replacedDatabaseName(tenant.slug)}`,
  );
  const { outputs } = await stage.act("restore-look", "back");
  const told = { "look-aside.live": outputs.live ?? "", "look-aside.aside": outputs.aside ?? "" };
  const [was, is] = ['[{"name":"before"},{"name":"replaced"}]', '[{"name":"before"},{"name":"restored"}]'];
  // Each twice, as after a crash; undone before it was done, and after.
  for (const [operation, expected] of [
    ["restore-exchange-back", is],
    ["restore-exchange", was],
    ["restore-exchange", was],
    ["restore-exchange-back", is],
    ["restore-exchange-back", is],
    ["restore-exchange", was],
  ] as const) {
    await stage.act(operation, "back", {}, told);
    assert.equal(await names(), expected, operation);
    assert.deepEqual(await databases(), places);
  }
  await add("and it works");
  await stage.act("restore-end", "end");
  assert.equal((await stage.act("restore-end", "end")).receipt[0]?.outcome, "absent");
  assert.deepEqual(await databases(), places.slice(0, 1));
  // Dropped: nothing is there to look at, and a late exchange touches nothing.
  await assert.rejects(stage.act("restore-look", "later"), permanently("replaced-gone"));
  const late = { ...told, "look-aside.aside": told["look-aside.live"] };
  await assert.rejects(stage.act("restore-exchange", "later", {}, late), permanently("replaced-gone"));
  assert.equal((await names()).includes("and it works"), true);
});

it("a restore of the vectors alone leaves the database alone", async () => {
  for (const operation of Object.keys(restoreOperations(server))) {
    const { receipt } = await stage.act(operation, "restore", { parts: "vectors" });
    assert.deepEqual(
      receipt.map(({ outcome }) => outcome),
      ["left-out"],
    );
  }
  assert.equal((await databases()).length, 1);
});
