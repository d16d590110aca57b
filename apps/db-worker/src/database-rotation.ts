import type { Login } from "@deeplens/contracts";
import { quoteIdentifier } from "@deeplens/postgres";
import {
  ensureResource,
  missing,
  ownResource,
  type Rotating,
  type Rotation,
  removeResource,
  twoLogins,
} from "@deeplens/worker";
import { endSessions, proveRefused } from "./database-life.ts";
import { withDdlSession } from "./ddl-session.ts";
import { scramVerifier } from "./scram-verifier.ts";
import {
  connectionLimits,
  databaseSecret,
  loginRole,
  loginStatements,
  portsOf,
  prove,
  roleKind,
  transaction,
} from "./tenant-databases.ts";
import type { TenantServer } from "./tenant-server.ts";

/**
 * A new password for a tenant's database. A role of Postgres has one: a second role, which is a member of the first and
 * so may what that one may, logs in with the new one. The first keeps the rights for ever; where its login was ended,
 * the next rotation gives it the new password, and ends the second.
 */
export const databaseRotation = (server: TenantServer): Rotation =>
  twoLogins({
    purpose: databaseSecret,
    keyOf: ({ command }, login) => ({ kind: roleKind, name: loginRole(command.tenant, login) }),
    outputsOf: ({ command }, { login }) => ({ applicationRole: loginRole(command.tenant, login) }),
    prove: ({ command: { tenant }, context }, stored, expected) =>
      expected === "answers"
        ? context.call("use the Postgres database as its tenant", (signal) =>
            prove(server, tenant, stored, signal),
          )
        : context.call("be refused by Postgres", (signal) => proveRefused(server, tenant, stored, signal)),
    open: ({ command: { tenant, tier }, context }, { login, value }) =>
      withDdlSession(context, server.pool, tenant.slug, "wait", async (session) => {
        const ports = portsOf(server, session, tenant, context.installation);
        for (const port of [ports.database(undefined), ports.application])
          if ((await ownResource(context, tenant, port)) === "absent")
            throw missing({ kind: port.kind, name: port.name }, tenant.slug);
        const role = loginRole(tenant, login);
        await ensureResource(context, tenant, ports.role(role));
        await context.call("let the Postgres role in", async () =>
          transaction(session, [
            ...loginStatements(tenant, { login, verifier: await scramVerifier(value) }),
            ...connectionLimits(tenant, tier, [role]),
          ]),
        );
      }),
    close: (rotating, login) => close(server, rotating, login),
  });

// The first role stays, for what it may; without a password nobody is it.
const close = (
  server: TenantServer,
  { command: { tenant }, context }: Rotating,
  login: Login,
): Promise<void> =>
  withDdlSession(context, server.pool, tenant.slug, "end", async (session) => {
    const name = loginRole(tenant, login);
    const port = portsOf(server, session, tenant, context.installation).role(name);
    if ((await ownResource(context, tenant, port)) === "there") {
      await context.call("shut the Postgres role out", () =>
        transaction(session, [`ALTER ROLE ${quoteIdentifier(name)} NOLOGIN PASSWORD NULL`]),
      );
      await context.call("end the Postgres sessions of the role", () => endSessions(session, tenant, [name]));
    }
    if (login === 2) await removeResource(context, tenant, port);
  });
