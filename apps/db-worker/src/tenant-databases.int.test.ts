import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { applicationRoleName, backupRoleName, databaseName, ownerRoleName } from "@deeplens/contracts";
import { crashPoints } from "@deeplens/worker/testing";
import { databaseSecret, tenantDatabases } from "./tenant-databases.ts";
import type { TenantServer } from "./tenant-server.ts";
import {
  assertNothingInPostgres,
  connected,
  openTenantServer,
  postgresThings,
  sweepPostgres,
  tenantAddress,
} from "./testing/postgres.ts";
import { freshTenant, provisionOf } from "./testing/tenants.ts";

let server: TenantServer;
before(() => {
  server = openTenantServer();
});
after(() => server.pool.end());

describe("a tenant's database survives a crash anywhere", () => {
  it("rule 12: after any call it is made whole or undone to nothing", (t) =>
    crashPoints(t, () => {
      const tenant = freshTenant("crash");
      return {
        step: "database",
        handler: tenantDatabases(server),
        command: provisionOf(tenant),
        verifyWhole: async (done, { secrets, ledger }) => {
          assert.equal(done.outputs.database, databaseName(tenant.slug));
          assert.deepEqual(
            ledger.rows().map((row) => row.state),
            ["made", "made", "made", "made"],
          );
          assert.equal((await postgresThings(server, tenant)).length, 4);
          const password = await secrets.of(tenant.tenantId).read(databaseSecret);
          assert.ok(password !== undefined);
          await connected(tenantAddress(server, tenant, password), async (client) => {
            const { rows } = await client.query("SELECT name FROM collections");
            assert.deepEqual(rows, []);
          });
        },
        verifyGone: async (receipt, { ledger }) => {
          assert.deepEqual(
            receipt.map((line) => line.name),
            [
              databaseName(tenant.slug),
              applicationRoleName(tenant.slug),
              backupRoleName(tenant.slug),
              ownerRoleName(tenant.slug),
            ],
          );
          assert.ok(receipt.every((line) => line.outcome !== "foreign"));
          assert.ok(ledger.rows().every((row) => row.state === "gone"));
          await assertNothingInPostgres(server, tenant);
        },
        dispose: () => sweepPostgres(server, tenant),
      };
    }));
});
