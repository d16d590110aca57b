import { tiers } from "@deeplens/contracts";
import { missing, type Operation, operationDone, ownResource, wantedTier } from "@deeplens/worker";
import { withDdlSession } from "./ddl-session.ts";
import { connectionLimits, databaseKind, namesOf, portsOf, transaction } from "./tenant-databases.ts";
import type { TenantServer } from "./tenant-server.ts";

/**
 * Limits a tenant's connections by another tier, suspended or not. Sessions that are open stay, also where there are more
 * than the new tier allows: `overConnections` says so, in a preview too.
 */
export const databaseTier =
  (server: TenantServer): Operation =>
  async (command, context) => {
    const { tenant } = command;
    const { tier, preview } = wantedTier(command);
    const { application, database: name } = namesOf(tenant);
    const limit = tiers[tier].databaseConnections;
    const inUse = await context.call("count the Postgres sessions of the tenant", async () => {
      const { rows } = await server.pool.query<{ used: number }>(
        "SELECT count(*)::int AS used FROM pg_stat_activity WHERE usename = $1",
        [application],
      );
      return rows[0]?.used ?? 0;
    });
    if (!preview)
      await withDdlSession(context, server.pool, tenant.slug, "wait", async (session) => {
        const database = portsOf(server, session, tenant, context.installation).database(undefined);
        if ((await ownResource(context, tenant, database)) === "absent")
          throw missing({ kind: databaseKind, name }, tenant.slug);
        await context.ledger.made({ kind: databaseKind, name }, { tier });
        await context.call("limit the Postgres connections", () =>
          transaction(session, connectionLimits(tenant, tier)),
        );
      });
    return operationDone([{ kind: databaseKind, name, outcome: preview ? "looked-at" : "limited" }], {
      connectionLimit: String(limit),
      connectionsInUse: String(inUse),
      overConnections: String(inUse > limit),
    });
  };
