import { tiers } from "@deeplens/contracts";
import { loginsIn, missing, type Operation, operationDone, ownResource, wantedTier } from "@deeplens/worker";
import { withDdlSession } from "./ddl-session.ts";
import {
  connectionLimits,
  databaseKind,
  databaseSecret,
  loginRole,
  namesOf,
  portsOf,
  transaction,
} from "./tenant-databases.ts";
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
    const passwords = loginsIn(await context.secrets.versions(databaseSecret));
    // The first one, whoever logs in: the next rotation may have it log in again.
    const roles = [...new Set([application, ...passwords.map(({ login }) => loginRole(tenant, login))])];
    const limit = tiers[tier].databaseConnections;
    const inUse = await context.call("count the Postgres sessions of the tenant", async () => {
      const { rows } = await server.pool.query<{ used: number }>(
        "SELECT count(*)::int AS used FROM pg_stat_activity WHERE usename = ANY ($1)",
        [roles],
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
          transaction(session, connectionLimits(tenant, tier, roles)),
        );
      });
    return operationDone([{ kind: databaseKind, name, outcome: preview ? "looked-at" : "limited" }], {
      connectionLimit: String(limit),
      connectionsInUse: String(inUse),
      overConnections: String(inUse > limit),
    });
  };
