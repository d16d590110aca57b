import { setTimeout as delay } from "node:timers/promises";
import { replacedDatabaseName, restoredDatabaseName, tiers } from "@deeplens/contracts";
import { type PoolClient, quoteIdentifier, sqlStateOf } from "@deeplens/postgres";
import {
  ensureResource,
  missing,
  type Operation,
  type OperationCommand,
  type OperationDone,
  type Operations,
  operationDone,
  ownResource,
  PermanentStepError,
  removeResource,
  type StepContext,
  type Tenant,
} from "@deeplens/worker";
import { arrangeDatabase } from "./database-grants.ts";
import { withDdlSession } from "./ddl-session.ts";
import {
  backupConnections,
  databaseKind,
  databaseSecret,
  namesOf,
  portsOf,
  prove,
  transaction,
} from "./tenant-databases.ts";
import { adminAddress, type TenantServer, withClient } from "./tenant-server.ts";
import { type Template, templateOf } from "./tenant-template.ts";

/**
 * The database's part of a restore. `restore-open` makes an empty database beside the live one, which the tenant's
 * backup role fills; `restore-switch` puts it in the live one's place by two renames in one transaction, and keeps what
 * was live; `restore-switch-back` and `restore-drop` undo them. Which of the two stands is seen by their names: the restored
 * one is there until the switch, the replaced one from then on.
 *
 * To go back later, `restore-look` tells the live database and the replaced one apart by their numbers in the server, which
 * no rename changes, and `restore-exchange` has them change places: which of them is to be live is known, however often
 * it is asked. `restore-end` drops the replaced one.
 */
export const restoreOperations = (server: TenantServer): Operations => ({
  "restore-open": whereMeant(open(server)),
  "restore-drop": whereMeant(drop(server)),
  "restore-switch": whereMeant(switchOver(server)),
  "restore-switch-back": whereMeant(switchBack(server)),
  "restore-look": whereMeant(look(server)),
  "restore-exchange": whereMeant(exchange(server, { live: "aside", mode: "wait", outcome: "switched-back" })),
  "restore-exchange-back": whereMeant(exchange(server, { live: "live", mode: "end", outcome: "as-it-was" })),
  "restore-end": whereMeant(end(server)),
});

/** A restore of the vectors alone leaves the database as it is. */
const whereMeant =
  (operation: Operation): Operation =>
  async (command, context) =>
    command.parameters.parts === "vectors"
      ? done(namesIn(command).database, "left-out")
      : operation(command, context);

const open =
  (server: TenantServer): Operation =>
  (command, context) =>
    withDdlSession(context, server.pool, command.tenant.slug, "wait", async (session) => {
      const names = namesIn(command);
      const restored = databasePort(server, session, command.tenant, context, names.restored);
      // What an earlier restore left there: it may be half full.
      await removeResource(context, command.tenant, restored);
      await ensureResource(context, command.tenant, restored);
      await context.call("open the restored database to the backup's role", async (signal) => {
        const [database, backup] = [quoteIdentifier(names.restored), quoteIdentifier(names.backup)];
        await transaction(session, [
          `REVOKE ALL ON DATABASE ${database} FROM PUBLIC`,
          `GRANT CONNECT, CREATE ON DATABASE ${database} TO ${backup}`,
          `ALTER DATABASE ${database} CONNECTION LIMIT ${backupConnections}`,
        ]);
        await withClient(adminAddress(server, names.restored), signal, (client) =>
          client.query(
            `REVOKE ALL ON SCHEMA public FROM PUBLIC; GRANT USAGE, CREATE ON SCHEMA public TO ${backup}`,
          ),
        );
      });
      return done(names.restored, "empty", { database: names.restored });
    });

const drop =
  (server: TenantServer): Operation =>
  (command, context) =>
    withDdlSession(context, server.pool, command.tenant.slug, "end", async (session) => {
      const port = databasePort(server, session, command.tenant, context, namesIn(command).restored);
      return operationDone([await removeResource(context, command.tenant, port)]);
    });

const switchOver =
  (server: TenantServer): Operation =>
  (command, context) =>
    withDdlSession(context, server.pool, command.tenant.slug, "wait", async (session) => {
      const { tenant } = command;
      const names = namesIn(command);
      const port = (name: string) => databasePort(server, session, tenant, context, name);
      const template = await templateOf(context.installation);
      if ((await ownResource(context, tenant, port(names.restored))) === "there") {
        // It is the tenant's from now on: the newest template, the owner's tables, the application's rights.
        await context.call("arrange the restored database", (signal) =>
          handOver(server, session, names, template, signal),
        );
        await removeResource(context, tenant, port(names.replaced)); // an earlier restore's
        await rename(session, context, names, { aside: names.replaced, in: names.restored });
      } else if ((await ownResource(context, tenant, port(names.replaced))) === "absent")
        throw missing({ kind: databaseKind, name: names.restored }, tenant.slug);
      await admit(server, session, command, context);
      return done(names.database, "restored", { templateVersion: template.version });
    });

const switchBack =
  (server: TenantServer): Operation =>
  (command, context) =>
    withDdlSession(context, server.pool, command.tenant.slug, "end", async (session) => {
      const names = namesIn(command);
      const there = (name: string) =>
        ownResource(context, command.tenant, databasePort(server, session, command.tenant, context, name));
      // A restored one that still stands beside was never switched to, or was switched back from.
      const switched =
        (await there(names.restored)) === "absent" && (await there(names.replaced)) === "there";
      if (switched) await rename(session, context, names, { aside: names.restored, in: names.replaced });
      await admit(server, session, command, context);
      return done(names.database, switched ? "switched-back" : "as-it-was");
    });

const look =
  (server: TenantServer): Operation =>
  (command, context) =>
    withDdlSession(context, server.pool, command.tenant.slug, "wait", async (session) => {
      const { tenant } = command;
      const names = namesIn(command);
      const replaced = databasePort(server, session, tenant, context, names.replaced);
      if ((await ownResource(context, tenant, replaced)) === "absent") throw replacedGone(names);
      // It may have been aside for days: the newest template, and rights that were given meanwhile.
      const template = await templateOf(context.installation);
      await context.call("arrange the replaced database", (signal) =>
        withClient(adminAddress(server, names.replaced), signal, (client) =>
          arrangeDatabase(client, names, template),
        ),
      );
      const [live, aside] = [
        await numberOf(session, names.database),
        await numberOf(session, names.replaced),
      ];
      if (live === undefined || aside === undefined) throw replacedGone(names);
      return done(names.replaced, "stands-aside", { live, aside });
    });

/** `live`: which of the two that `restore-look` told apart is to be the live one. */
const exchange =
  (
    server: TenantServer,
    to: { readonly live: "aside" | "live"; readonly mode: "wait" | "end"; readonly outcome: string },
  ): Operation =>
  (command, context) =>
    withDdlSession(context, server.pool, command.tenant.slug, to.mode, async (session) => {
      const names = namesIn(command);
      const { database: live, restored: between, replaced: aside } = names;
      const wanted = command.inputs[`look-aside.${to.live}`];
      if ((await numberOf(session, live)) !== wanted) {
        if (wanted === undefined || (await numberOf(session, aside)) !== wanted) throw replacedGone(names);
        const renames = [
          [live, between],
          [aside, live],
          [between, aside],
        ] as const;
        await renameAll(session, context, [live, aside], renames);
      }
      await admit(server, session, command, context);
      // The two stand on one version since `restore-look`.
      const { version: templateVersion } = await templateOf(context.installation);
      return done(live, to.outcome, { templateVersion });
    });

const end =
  (server: TenantServer): Operation =>
  (command, context) =>
    withDdlSession(context, server.pool, command.tenant.slug, "wait", async (session) => {
      const replaced = databasePort(server, session, command.tenant, context, namesIn(command).replaced);
      return operationDone([await removeResource(context, command.tenant, replaced)]);
    });

const replacedGone = ({ database, replaced }: Names): PermanentStepError =>
  new PermanentStepError(
    "replaced-gone",
    `${replaced}, which a restore put aside, is not there any more, and ${database} was left as it is; restore its safety backup in its place`,
  );

/** A database's number in the server; a rename does not change it. */
const numberOf = async (session: PoolClient, database: string): Promise<string | undefined> => {
  const { rows } = await session.query<{ number: string }>(
    "SELECT oid::text AS number FROM pg_database WHERE datname = $1",
    [database],
  );
  return rows[0]?.number;
};

interface Names extends ReturnType<typeof namesOf> {
  readonly restored: string;
  readonly replaced: string;
}

const namesIn = ({ tenant }: OperationCommand): Names => ({
  ...namesOf(tenant),
  restored: restoredDatabaseName(tenant.slug),
  replaced: replacedDatabaseName(tenant.slug),
});

const databasePort = (
  server: TenantServer,
  session: PoolClient,
  tenant: Tenant,
  { installation }: StepContext,
  name: string,
) => ({
  ...portsOf(server, session, tenant, installation).database(undefined, name),
  create: async () => {
    const owner = quoteIdentifier(namesOf(tenant).owner);
    await session.query(
      `CREATE DATABASE ${quoteIdentifier(name)} OWNER ${owner} TEMPLATE template0 ENCODING 'UTF8' CONNECTION LIMIT 0`,
    );
  },
  remove: async () => {
    await session.query(`DROP DATABASE IF EXISTS ${quoteIdentifier(name)} WITH (FORCE)`);
  },
});

const handOver = async (
  server: TenantServer,
  session: PoolClient,
  names: Names,
  template: Template,
  signal: AbortSignal,
): Promise<void> => {
  const [owner, backup] = [quoteIdentifier(names.owner), quoteIdentifier(names.backup)];
  await withClient(adminAddress(server, names.restored), signal, async (client) => {
    await client.query(
      `REASSIGN OWNED BY ${backup} TO ${owner}; REVOKE CREATE ON SCHEMA public FROM ${backup}`,
    );
    await arrangeDatabase(client, names, template);
    await client.query("ANALYZE");
  });
  await session.query(`REVOKE CREATE ON DATABASE ${quoteIdentifier(names.restored)} FROM ${backup}`);
};

const objectInUse = "55006";
const tries = 20;
const pauseMs = 250;

/** Puts one database in the live one's place, and that one aside: both renames or none. Sessions on either are ended. */
const rename = async (
  session: PoolClient,
  context: StepContext,
  { database }: Names,
  to: { readonly aside: string; readonly in: string },
): Promise<void> => {
  await context.ledger.intend({ kind: databaseKind, name: to.aside });
  await renameAll(
    session,
    context,
    [database, to.in],
    [
      [database, to.aside],
      [to.in, database],
    ],
  );
  await context.ledger.made({ kind: databaseKind, name: to.aside });
  await context.ledger.gone({ kind: databaseKind, name: to.in });
};

/** All renames or none. Sessions on these databases are ended, and only the administrator gets in until others are let in. */
const renameAll = (
  session: PoolClient,
  context: StepContext,
  databases: readonly string[],
  renames: readonly (readonly [from: string, to: string])[],
): Promise<void> =>
  context.call("switch the databases", async (signal) => {
    for (let attempt = 1; ; attempt++) {
      for (const database of databases)
        await session.query(`ALTER DATABASE ${quoteIdentifier(database)} CONNECTION LIMIT 0`);
      await session.query(
        "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = ANY ($1) AND pid <> pg_backend_pid()",
        [databases],
      );
      try {
        return await transaction(
          session,
          renames.map(
            ([from, to]) => `ALTER DATABASE ${quoteIdentifier(from)} RENAME TO ${quoteIdentifier(to)}`,
          ),
        );
      } catch (error) {
        if (sqlStateOf(error) !== objectInUse || attempt === tries) throw error;
        await delay(pauseMs, undefined, { signal });
      }
    }
  });

/** Lets the tenant and its backups into what is live now, and into nothing else; proven with the tenant's password. */
const admit = async (
  server: TenantServer,
  session: PoolClient,
  { tenant, tier }: OperationCommand,
  context: StepContext,
): Promise<void> => {
  const names = namesOf(tenant);
  const database = quoteIdentifier(names.database);
  const roles = `${quoteIdentifier(names.application)}, ${quoteIdentifier(names.backup)}`;
  const limit = tiers[tier].databaseConnections + backupConnections;
  await context.call("open the Postgres database to its roles", () =>
    transaction(session, [
      `GRANT CONNECT ON DATABASE ${database} TO ${roles}`,
      `ALTER DATABASE ${database} CONNECTION LIMIT ${limit}`,
    ]),
  );
  const [password] = await context.secrets.versions(databaseSecret);
  if (password !== undefined)
    await context.call("use the Postgres database as its tenant", (signal) =>
      prove(server, tenant, password, signal),
    );
};

const done = (name: string, outcome: string, outputs?: OperationDone["outputs"]): OperationDone =>
  operationDone([{ kind: databaseKind, name, outcome }], outputs);
