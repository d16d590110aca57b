import { type Client, quoteIdentifier } from "@deeplens/postgres";
import { migrateTenantDatabase, migrationsTable, type Template } from "./tenant-template.ts";

export interface TenantRoles {
  readonly owner: string;
  readonly application: string;
  readonly backup: string;
}

/**
 * Brings the inside of a tenant's database to what it has to be, from any state of a crash: its tables belong to the
 * owner role, its migrations are run, the application role may read and write the tables and do nothing else, and the
 * role of backups may read all that the owner has, or will have.
 *
 * @param database the administrator's connection to it
 */
export const arrangeDatabase = async (
  database: Client,
  { owner, application, backup }: TenantRoles,
  template: Template,
): Promise<void> => {
  const [ownerRole, applicationRole] = [quoteIdentifier(owner), quoteIdentifier(application)];
  const backupRole = quoteIdentifier(backup);
  const { rowCount } = await database.query("SELECT FROM pg_roles WHERE rolname = $1", [template.role]);
  if (rowCount === 1) {
    const templateRole = quoteIdentifier(template.role);
    await database.query(`REASSIGN OWNED BY ${templateRole} TO ${ownerRole}; DROP OWNED BY ${templateRole}`);
  }
  await database.query(`
    SET ROLE ${ownerRole};
    REVOKE ALL ON SCHEMA public FROM PUBLIC;
    GRANT USAGE ON SCHEMA public TO ${applicationRole};
    ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO ${applicationRole};
    ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT, USAGE ON SEQUENCES TO ${applicationRole};
    ALTER DEFAULT PRIVILEGES REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC;
    GRANT USAGE ON SCHEMA public TO ${backupRole};
    ALTER DEFAULT PRIVILEGES GRANT USAGE ON SCHEMAS TO ${backupRole};
    ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO ${backupRole};
    ALTER DEFAULT PRIVILEGES GRANT SELECT ON SEQUENCES TO ${backupRole}`);
  await migrateTenantDatabase(database, template);
  await database.query(`
    GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO ${applicationRole};
    GRANT SELECT, USAGE ON ALL SEQUENCES IN SCHEMA public TO ${applicationRole};
    REVOKE INSERT, UPDATE, DELETE ON ${quoteIdentifier(migrationsTable)} FROM ${applicationRole};
    GRANT SELECT ON ALL TABLES IN SCHEMA public TO ${backupRole};
    GRANT SELECT ON ALL SEQUENCES IN SCHEMA public TO ${backupRole};
    RESET ROLE`);
};
