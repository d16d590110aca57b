import {
  applicationRoleName,
  backupRoleName,
  databaseName,
  type Login,
  ownerRoleName,
  type ReceiptLine,
  type TierName,
  tiers,
} from "@deeplens/contracts";
import { type PoolClient, quoteIdentifier, quoteLiteral, sqlStateOf } from "@deeplens/postgres";
import {
  ensureResource,
  type PartCommand,
  PermanentStepError,
  removeResource,
  type StepContext,
  type StepDone,
  type StoredSecret,
  type Tenant,
  type UndoCommand,
} from "@deeplens/worker";
import { foreignContents } from "./database-contents.ts";
import { arrangeDatabase } from "./database-grants.ts";
import { withDdlSession } from "./ddl-session.ts";
import { ownerLabel, sightOf } from "./owner-label.ts";
import type { DatabasePart } from "./provision.ts";
import { scramVerifier } from "./scram-verifier.ts";
import { adminAddress, type TenantServer, withClient } from "./tenant-server.ts";
import { ensureTemplate, type Template, templateOf } from "./tenant-template.ts";

export const databaseSecret = "database.app";
export const databaseBackupSecret = "database.backup";

/** Sessions that a backup needs, on top of the tenant's own. */
export const backupConnections = 4;

/**
 * A tenant's database: an owner role that nobody logs in as, an application role, a role that reads for backups, and a
 * database of the owner's that only these two may connect to. Every role is made in one transaction with the comment that says whose it
 * is; the database is whose its owner role is. So no crash leaves anything of ours that looks foreign.
 *
 * @param options `copy`: whether to copy the template database (quicker), or to run the migrations in an empty one
 */
export const tenantDatabases = (server: TenantServer, options = { copy: true }): DatabasePart => ({
  provision: (command, context) => provision(server, options, command, context),
  compensate: (command, context) => compensate(server, command, context),
});

const provision = async (
  server: TenantServer,
  { copy }: { copy: boolean },
  { tenant, tier }: PartCommand,
  context: StepContext,
): Promise<StepDone> => {
  const password = await context.secrets.ensure(databaseSecret);
  const backupPassword = await context.secrets.ensure(databaseBackupSecret);
  const template = await templateOf(context.installation);
  const names = namesOf(tenant);
  await withDdlSession(context, server.pool, tenant.slug, "wait", async (session) => {
    const ports = portsOf(server, session, tenant, context.installation);
    await ensureResource(context, tenant, ports.owner);
    await ensureResource(context, tenant, ports.application);
    // Of a tenant whose credentials were rotated, the one that it logs in with.
    if (password.login === 2) await ensureResource(context, tenant, ports.role(loginRole(tenant, 2)));
    await ensureResource(context, tenant, ports.backup);
    await context.call("drop a half-dropped Postgres database", () => dropInvalid(session, tenant));
    await ensureResource(context, tenant, ports.database(copy ? template : undefined));
    await context.call("arrange the Postgres database", (signal) =>
      arrange(server, session, tenant, template, signal),
    );
    await context.call("open the Postgres database to its roles", async () =>
      admit(session, tenant, tier, {
        application: { login: password.login, verifier: await scramVerifier(password.value) },
        backup: await scramVerifier(backupPassword.value),
      }),
    );
  });
  await context.call("use the Postgres database as its tenant", (signal) =>
    prove(server, tenant, password, signal),
  );
  return {
    outputs: {
      host: server.host,
      port: String(server.port),
      database: names.database,
      ownerRole: names.owner,
      applicationRole: loginRole(tenant, password.login),
      backupRole: names.backup,
      templateVersion: template.version,
    },
    resources: [
      { kind: roleKind, name: names.owner },
      { kind: roleKind, name: names.application },
      { kind: roleKind, name: names.backup },
      { kind: databaseKind, name: names.database },
    ],
  };
};

const compensate = async (
  server: TenantServer,
  { tenant }: UndoCommand,
  context: StepContext,
): Promise<readonly ReceiptLine[]> =>
  withDdlSession(context, server.pool, tenant.slug, "end", async (session) => {
    const ports = portsOf(server, session, tenant, context.installation);
    const names = namesOf(tenant);
    const receipt = [
      await removeResource(context, tenant, ports.database(undefined)),
      await removeResource(context, tenant, ports.application),
      await removeResource(context, tenant, ports.backup),
    ];
    // One that is there was meant by a rotation, and landed late.
    for (const name of await otherRoles(context, names))
      receipt.push(await removeResource(context, tenant, ports.role(name)));
    receipt.push(await removeResource(context, tenant, ports.owner));
    const left = await context.call("look for anything in Postgres with the tenant's label", () =>
      labelledThings(session, tenant),
    );
    if (left.length > 0)
      throw new Error(`tenant ${tenant.slug} still has ${left.join(", ")} in Postgres after its rollback`);
    return receipt;
  });

export const roleKind = "postgres-role";
export const databaseKind = "postgres-database";

export const namesOf = ({ slug }: Tenant) => ({
  database: databaseName(slug),
  owner: ownerRoleName(slug),
  application: applicationRoleName(slug),
  backup: backupRoleName(slug),
});

/** The role that a login of the tenant's logs in as. */
export const loginRole = ({ slug }: Tenant, login: Login): string => applicationRoleName(slug, login);

/** Roles of the tenant's by the ledger, beside those that its making gave it. */
export const otherRoles = async (
  { ledger }: StepContext,
  names: ReturnType<typeof namesOf>,
): Promise<string[]> => {
  const known = [names.application, names.backup, names.owner];
  return (await ledger.owned()).flatMap(({ kind, name }) =>
    kind === roleKind && !known.includes(name) ? [name] : [],
  );
};

export const portsOf = (server: TenantServer, session: PoolClient, tenant: Tenant, installation: string) => {
  const names = namesOf(tenant);
  const role = (name: string) => ({
    kind: roleKind,
    name,
    look: async () => {
      const { rows } = await session.query<{ comment: string | null }>(
        "SELECT shobj_description(oid, 'pg_authid') AS comment FROM pg_roles WHERE rolname = $1",
        [name],
      );
      return sightOf(rows.map((row) => row.comment));
    },
    create: () =>
      transaction(session, [
        `CREATE ROLE ${quoteIdentifier(name)} NOLOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION`,
        `COMMENT ON ROLE ${quoteIdentifier(name)} IS ${quoteLiteral(ownerLabel(tenant.tenantId, installation))}`,
      ]),
    remove: () => dropRole(session, name, tenant),
  });
  return {
    owner: role(names.owner),
    application: role(names.application),
    backup: role(names.backup),
    role,
    database: (template: Template | undefined, name = names.database) => ({
      kind: databaseKind,
      name,
      look: async () => {
        const { rows } = await session.query<{ comment: string | null }>(
          "SELECT shobj_description(datdba, 'pg_authid') AS comment FROM pg_database WHERE datname = $1",
          [name],
        );
        return sightOf(rows.map((row) => row.comment));
      },
      create: (signal: AbortSignal) => createDatabase(server, session, tenant, template, signal),
      remove: (signal: AbortSignal) => dropDatabase(server, session, tenant, signal),
    }),
  };
};

export const transaction = async (session: PoolClient, statements: readonly string[]): Promise<void> => {
  // Several statements in one simple query are one transaction.
  await session.query(statements.join(";\n"));
};

// Limit 0 keeps everyone but the administrator out until CONNECT was revoked from PUBLIC, which is no part of a copy.
const createDatabase = async (
  server: TenantServer,
  session: PoolClient,
  tenant: Tenant,
  template: Template | undefined,
  signal: AbortSignal,
): Promise<void> => {
  const { database, owner } = namesOf(tenant);
  const from = async (source: string): Promise<void> => {
    await session.query(
      `CREATE DATABASE ${quoteIdentifier(database)} OWNER ${quoteIdentifier(owner)} TEMPLATE ${source} CONNECTION LIMIT 0`,
    );
  };
  const fromNothing = (): Promise<void> => from("template0 ENCODING 'UTF8'");
  if (template === undefined) return fromNothing();
  try {
    await ensureTemplate(server, template, signal);
    await from(quoteIdentifier(template.database));
  } catch (error) {
    if (!templateUnusable.includes(sqlStateOf(error) ?? "")) throw error;
    await fromNothing();
  }
};

const undefinedDatabase = "3D000";
const objectInUse = "55006";
const templateUnusable = [undefinedDatabase, objectInUse];

const arrange = async (
  server: TenantServer,
  session: PoolClient,
  tenant: Tenant,
  template: Template,
  signal: AbortSignal,
): Promise<void> => {
  const names = namesOf(tenant);
  await session.query(`REVOKE ALL ON DATABASE ${quoteIdentifier(names.database)} FROM PUBLIC`);
  await withClient(adminAddress(server, names.database), signal, (client) =>
    arrangeDatabase(client, names, template),
  );
};

const admit = (
  session: PoolClient,
  tenant: Tenant,
  tier: TierName,
  verifiers: {
    readonly application: { readonly login: Login; readonly verifier: string };
    readonly backup: string;
  },
): Promise<void> => {
  const names = namesOf(tenant);
  const database = quoteIdentifier(names.database);
  const [application, backup] = [quoteIdentifier(names.application), quoteIdentifier(names.backup)];
  return transaction(session, [
    `GRANT CONNECT ON DATABASE ${database} TO ${application}, ${backup}`,
    ...loginStatements(tenant, verifiers.application),
    `ALTER ROLE ${backup} LOGIN CONNECTION LIMIT ${backupConnections} PASSWORD ${quoteLiteral(verifiers.backup)}`,
    ...connectionLimits(tenant, tier, [loginRole(tenant, verifiers.application.login)]),
  ]);
};

/** The statements that let the role of a login in; the second one may what the first one may. */
export const loginStatements = (
  tenant: Tenant,
  { login, verifier }: { readonly login: Login; readonly verifier: string },
): string[] => {
  const role = quoteIdentifier(loginRole(tenant, login));
  return [
    ...(login === 1 ? [] : [`GRANT ${quoteIdentifier(namesOf(tenant).application)} TO ${role}`]),
    `ALTER ROLE ${role} LOGIN PASSWORD ${quoteLiteral(verifier)}`,
  ];
};

/** The statements that limit a tenant's connections by its tier: those of each role that it logs in as, and all of them. */
export const connectionLimits = (
  tenant: Tenant,
  tier: TierName,
  roles: readonly string[] = [namesOf(tenant).application],
): string[] => {
  const { database } = namesOf(tenant);
  const limit = tiers[tier].databaseConnections;
  return [
    ...roles.map((role) => `ALTER ROLE ${quoteIdentifier(role)} CONNECTION LIMIT ${limit}`),
    // A tenant that uses all of its own sessions does not keep its backup out.
    `ALTER DATABASE ${quoteIdentifier(database)} CONNECTION LIMIT ${limit + backupConnections}`,
  ];
};

export type Credential = Pick<StoredSecret, "value" | "login">;

/** The tenant's database, as the tenant itself. */
export const tenantAddress = (
  { host, port }: TenantServer,
  tenant: Tenant,
  { value: password, login }: Credential,
) => ({ host, port, database: namesOf(tenant).database, user: loginRole(tenant, login), password });

/** A row in and out again, with the tenant's own password. */
export const prove = async (
  server: TenantServer,
  tenant: Tenant,
  credential: Credential,
  signal: AbortSignal,
): Promise<void> => {
  const { database } = namesOf(tenant);
  await withClient(tenantAddress(server, tenant, credential), signal, async (client) => {
    await client.query("BEGIN");
    await client.query("INSERT INTO collections (name) VALUES ('.deeplens-probe')");
    const { rowCount } = await client.query("SELECT FROM collections WHERE name = '.deeplens-probe'");
    await client.query("ROLLBACK");
    if (rowCount !== 1) throw new Error(`database ${database} did not give back the row that was put in`);
  });
};

// A DROP DATABASE that was interrupted leaves a database that nobody can use (datconnlimit -2): it is dropped to the end.
const dropInvalid = async (session: PoolClient, tenant: Tenant): Promise<void> => {
  const { database, owner } = namesOf(tenant);
  const { rowCount } = await session.query(
    "SELECT FROM pg_database WHERE datname = $1 AND datconnlimit = -2 AND pg_get_userbyid(datdba) = $2",
    [database, owner],
  );
  if (rowCount === 1) await session.query(`DROP DATABASE ${quoteIdentifier(database)} WITH (FORCE)`);
};

const dropDatabase = async (
  server: TenantServer,
  session: PoolClient,
  tenant: Tenant,
  signal: AbortSignal,
): Promise<void> => {
  const { database, application } = namesOf(tenant);
  await dropInvalid(session, tenant);
  const { rowCount } = await session.query("SELECT FROM pg_database WHERE datname = $1", [database]);
  if (rowCount === 0) return;
  const contents = await withClient(adminAddress(server, database), signal, foreignContents);
  if (contents.length > 0)
    throw new PermanentStepError(
      "database-not-empty",
      `database ${database} of tenant ${tenant.slug} holds what its provisioning did not put there (${contents.slice(0, 10).join(", ")}); it was left as it is. Save or remove that, then retry the rollback`,
    );
  const { rowCount: roleThere } = await session.query("SELECT FROM pg_roles WHERE rolname = $1", [
    application,
  ]);
  if (roleThere === 1)
    await session.query(
      `REVOKE ALL ON DATABASE ${quoteIdentifier(database)} FROM ${quoteIdentifier(application)}`,
    );
  await session.query(`DROP DATABASE IF EXISTS ${quoteIdentifier(database)} WITH (FORCE)`);
};

const dependentObjects = "2BP01";

export const dropRole = async (session: PoolClient, name: string, tenant: Tenant): Promise<void> => {
  try {
    await session.query(`DROP ROLE ${quoteIdentifier(name)}`);
  } catch (error) {
    if (sqlStateOf(error) !== dependentObjects) throw error;
    throw new PermanentStepError(
      "postgres-role-in-use",
      `role ${name} of tenant ${tenant.slug} owns or may use things that its provisioning did not make; it was left as it is. Reassign them (${(error as Error).message}), then retry the rollback`,
      { cause: error },
    );
  }
};

/** Roles and databases that bear the tenant's label, whatever their names. */
export const labelledThings = async (session: PoolClient, tenant: Tenant): Promise<string[]> => {
  const { rows } = await session.query<{ name: string }>(
    `SELECT 'role ' || rolname AS name FROM pg_roles WHERE strpos(shobj_description(oid, 'pg_authid'), $1) > 0
     UNION ALL
     SELECT 'database ' || datname FROM pg_database WHERE strpos(shobj_description(datdba, 'pg_authid'), $1) > 0`,
    [tenant.tenantId],
  );
  return rows.map((row) => row.name);
};
