import type { ReceiptLine } from "@deeplens/contracts";
import { type PoolClient, quoteIdentifier, quoteLiteral, sqlStateOf } from "@deeplens/postgres";
import {
  credentialOf,
  type Life,
  loginsIn,
  missing,
  type Operation,
  operationDone,
  ownResource,
  PermanentStepError,
  removeResource,
  type StepContext,
  type Tenant,
} from "@deeplens/worker";
import { withDdlSession } from "./ddl-session.ts";
import { scramVerifier } from "./scram-verifier.ts";
import {
  type Credential,
  databaseKind,
  databaseSecret,
  dropRole,
  labelledThings,
  loginRole,
  namesOf,
  otherRoles,
  portsOf,
  prove,
  roleKind,
  tenantAddress,
  transaction,
} from "./tenant-databases.ts";
import { type TenantServer, withClient } from "./tenant-server.ts";

/**
 * A tenant's database after its making. Suspended, its application role may neither log in nor connect (the owner role
 * never could), nor may the second one that a rotation gave it, and its sessions are ended; its password, its rows and
 * its rights on them stay. What reads backups has a role of its own, which goes on.
 */
export const databaseLife = (server: TenantServer): Life => ({
  suspend: suspend(server),
  resume: resume(server),
  purge: purge(server),
});

const suspend =
  (server: TenantServer): Operation =>
  async ({ tenant }, context) => {
    const { application, database } = namesOf(tenant);
    const passwords = loginsIn(await context.secrets.versions(databaseSecret));
    const role = loginRole(tenant, passwords[0]?.login ?? 1);
    const there = await withDdlSession(context, server.pool, tenant.slug, "end", async (session) => {
      const found = await whatIsThere(server, session, tenant, context);
      // A role without its database could still log in to another one.
      const statements = [
        ...found.roles.map((one) => `ALTER ROLE ${quoteIdentifier(one)} NOLOGIN`),
        // The second role's rights are the first one's.
        ...(found.database && found.roles.includes(application)
          ? [`REVOKE CONNECT ON DATABASE ${quoteIdentifier(database)} FROM ${quoteIdentifier(application)}`]
          : []),
      ];
      if (statements.length > 0)
        await context.call("close the Postgres database to its application role", () =>
          transaction(session, statements),
        );
      await context.call("end the Postgres sessions of the tenant", () =>
        endSessions(session, tenant, [namesOf(tenant).owner, ...found.roles]),
      );
      return found;
    });
    for (const password of passwords)
      if (there.roles.includes(loginRole(tenant, password.login)))
        await context.call("be refused by Postgres", (signal) =>
          proveRefused(server, tenant, password, signal),
        );
    const outcome = (isThere: boolean) => (isThere ? "refused" : "absent");
    return operationDone(
      linesOf(tenant, role, { database: outcome(there.database), role: outcome(there.roles.includes(role)) }),
    );
  };

const resume =
  (server: TenantServer): Operation =>
  async (command, context) => {
    const { tenant } = command;
    const { application, database } = namesOf(tenant);
    const password = await credentialOf(command, context, databaseSecret);
    if (password === undefined) throw missing({ kind: databaseKind, name: database }, tenant.slug);
    const role = loginRole(tenant, password.login);
    await withDdlSession(context, server.pool, tenant.slug, "wait", async (session) => {
      const found = await whatIsThere(server, session, tenant, context);
      if (!found.database) throw missing({ kind: databaseKind, name: database }, tenant.slug);
      for (const name of [application, role])
        if (!found.roles.includes(name)) throw missing({ kind: roleKind, name }, tenant.slug);
      await context.call("open the Postgres database to its application role", async () =>
        transaction(session, [
          `GRANT CONNECT ON DATABASE ${quoteIdentifier(database)} TO ${quoteIdentifier(application)}`,
          `ALTER ROLE ${quoteIdentifier(role)} LOGIN PASSWORD ${quoteLiteral(await scramVerifier(password.value))}`,
        ]),
      );
    });
    await context.call("use the Postgres database as its tenant", (signal) =>
      prove(server, tenant, password, signal),
    );
    return operationDone(linesOf(tenant, role, { database: "answers", role: "answers" }));
  };

/** Databases first (the live one, and any other that the owner role has), then roles, the owner's last. */
const purge =
  (server: TenantServer): Operation =>
  async ({ tenant, sagaId }, context) =>
    withDdlSession(context, server.pool, tenant.slug, "end", async (session) => {
      const names = namesOf(tenant);
      const ports = portsOf(server, session, tenant, context.installation);
      const rows = await context.ledger.owned();
      const otherDatabases = rows.flatMap(({ kind, name }) =>
        kind === databaseKind && name !== names.database ? [name] : [],
      );
      const receipt: ReceiptLine[] = [];
      const remove = async (resource: Parameters<typeof removeResource>[2]): Promise<void> => {
        receipt.push(await removeResource(context, tenant, resource, { sagaId }));
      };
      for (const name of [names.database, ...otherDatabases])
        await remove({
          ...ports.database(undefined, name),
          remove: () => dropWithData(session, name, names.application),
        });
      for (const name of [
        names.application,
        names.backup,
        ...(await otherRoles(context, names)),
        names.owner,
      ])
        await remove({ ...ports.role(name), remove: () => dropRole(session, name, tenant) });
      const left = await context.call("look for anything in Postgres with the tenant's label", () =>
        labelledThings(session, tenant),
      );
      if (left.length > 0)
        throw new PermanentStepError(
          "left-in-postgres",
          `tenant ${tenant.slug} still has ${left.join(", ")} in Postgres, which this control plane did not make; remove it by hand, then retry the purge`,
        );
      return operationDone(receipt);
    });

// Nobody of the tenant's comes back between the end of the sessions and the lock on the database.
const dropWithData = async (session: PoolClient, database: string, application: string): Promise<void> => {
  const { rowCount } = await session.query("SELECT FROM pg_roles WHERE rolname = $1", [application]);
  if (rowCount === 1)
    await session.query(
      `REVOKE ALL ON DATABASE ${quoteIdentifier(database)} FROM ${quoteIdentifier(application)}`,
    );
  await session.query(`DROP DATABASE IF EXISTS ${quoteIdentifier(database)} WITH (FORCE)`);
};

/** The database, and the roles that the tenant logs in as. @throws PermanentStepError where one is somebody else's */
const whatIsThere = async (
  server: TenantServer,
  session: PoolClient,
  tenant: Tenant,
  context: StepContext,
): Promise<{ readonly database: boolean; readonly roles: readonly string[] }> => {
  const ports = portsOf(server, session, tenant, context.installation);
  const roles: string[] = [];
  for (const login of [1, 2] as const) {
    const name = loginRole(tenant, login);
    if ((await ownResource(context, tenant, ports.role(name))) === "there") roles.push(name);
  }
  return {
    database: (await ownResource(context, tenant, ports.database(undefined))) === "there",
    roles,
  };
};

const sessionsOf = "usename = ANY ($1) AND pid <> pg_backend_pid()";

/** Ends every session of these roles of a tenant's. @throws where one is there afterwards */
export const endSessions = async (
  session: PoolClient,
  tenant: Tenant,
  roles: readonly string[],
): Promise<void> => {
  await session.query(`SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE ${sessionsOf}`, [
    roles,
  ]);
  const { rowCount } = await session.query(`SELECT FROM pg_stat_activity WHERE ${sessionsOf}`, [roles]);
  if (rowCount !== 0)
    throw new Error(`${rowCount} Postgres sessions of tenant ${tenant.slug} did not end in 10 s`);
};

const invalidAuthorization = "28000";
const wrongPassword = "28P01";
const insufficientPrivilege = "42501";
const refusals: readonly string[] = [invalidAuthorization, wrongPassword, insufficientPrivilege];

/** True for Postgres's refusal to let a role in: it may not log in, has another password, or may not connect. */
export const isEntryRefusal = (error: unknown): boolean => refusals.includes(sqlStateOf(error) ?? "");

/** @throws where the tenant still gets in with it */
export const proveRefused = async (
  server: TenantServer,
  tenant: Tenant,
  credential: Credential,
  signal: AbortSignal,
): Promise<void> => {
  const address = tenantAddress(server, tenant, credential);
  try {
    await withClient(address, signal, (client) => client.query("SELECT 1"));
  } catch (error) {
    if (isEntryRefusal(error)) return;
    throw error;
  }
  throw new Error(`Postgres still lets tenant ${tenant.slug} into ${address.database} as ${address.user}`);
};

const linesOf = (
  tenant: Tenant,
  role: string,
  outcomes: { readonly database: string; readonly role: string },
): ReceiptLine[] => [
  { kind: databaseKind, name: namesOf(tenant).database, outcome: outcomes.database },
  { kind: roleKind, name: role, outcome: outcomes.role },
];
