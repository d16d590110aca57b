import { sqlStateOf } from "@deeplens/postgres";
import {
  missing,
  type Operation,
  operationDone,
  ownResource,
  PermanentStepError,
  type StepContext,
  type Tenant,
} from "@deeplens/worker";
import type pg from "pg";
import { arrangeDatabase } from "./database-grants.ts";
import { withDdlSession } from "./ddl-session.ts";
import { databaseKind, namesOf, portsOf } from "./tenant-databases.ts";
import { adminAddress, type TenantServer, withClient } from "./tenant-server.ts";
import { type Template, templateOf, templateVersionIn } from "./tenant-template.ts";

// A large table takes a while; who waits for a lock stands in the way of everyone behind it, so that is given up soon.
const longestMs = 240_000;
const lockMs = 5_000;

/**
 * Moves a tenant's database to this program's template: each migration that it lacks in a transaction of its own, which
 * writes the version too. A crash, or a migration that fails, leaves the version before: it can be run again.
 *
 * @param templates the template of an installation
 * @throws PermanentStepError `template-newer`: the database has a migration that this program lacks
 * @throws PermanentStepError `migration-failed`: what is in the database does not let a migration through
 */
export const databaseMigration =
  (server: TenantServer, templates: (installation: string) => Promise<Template> = templateOf): Operation =>
  async ({ tenant }, context) => {
    const names = namesOf(tenant);
    const template = await templates(context.installation);
    return withDdlSession(context, server.pool, tenant.slug, "wait", async (session) => {
      const port = portsOf(server, session, tenant, context.installation).database(undefined);
      if ((await ownResource(context, tenant, port)) === "absent")
        throw missing({ kind: databaseKind, name: names.database }, tenant.slug);
      const moved = await inDatabase(server, context, names.database, async (client) => {
        const before = await templateVersionIn(client);
        if (before > template.version) throw newer(tenant, before, template);
        try {
          await arrangeDatabase(client, names, template);
        } catch (error) {
          throw refusedByData(tenant, error) ?? error;
        }
        return { before, after: await templateVersionIn(client) };
      });
      const outcome =
        moved.before === moved.after ? "as-it-was" : `moved from template ${moved.before} to ${moved.after}`;
      return operationDone([{ kind: databaseKind, name: names.database, outcome }], {
        templateVersion: moved.after,
      });
    });
  };

const inDatabase = <T>(
  server: TenantServer,
  context: StepContext,
  database: string,
  work: (client: pg.Client) => Promise<T>,
): Promise<T> =>
  context.call(
    "move the Postgres database to the template",
    (signal) =>
      withClient(adminAddress(server, database), signal, async (client) => {
        await client.query(`SET statement_timeout = ${longestMs}; SET lock_timeout = ${lockMs}`);
        return work(client);
      }),
    { timeoutMs: longestMs },
  );

const newer = ({ slug }: Tenant, version: string, template: Template): PermanentStepError =>
  new PermanentStepError(
    "template-newer",
    `the database of tenant ${slug} is of template version ${version}, and this database worker's is ${template.version}: nothing was changed. Upgrade the worker`,
  );

// Data, a constraint, or the statement itself: the same again tomorrow. All else (a lock, a lost server) may pass.
const refusedByData = ({ slug }: Tenant, error: unknown): PermanentStepError | undefined => {
  const state = sqlStateOf((error as Error).cause ?? error) ?? "";
  if (!/^(22|23|42)/.test(state)) return undefined;
  return new PermanentStepError(
    "migration-failed",
    `the database of tenant ${slug} was not moved, and is as it was before that migration: ${(error as Error).message}`,
    { cause: error },
  );
};
