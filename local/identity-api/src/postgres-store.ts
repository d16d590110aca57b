/** The store on Postgres. It makes its tables itself. */
import type pg from "pg";
import type { IdentityStore, Tenant, UserOfTenant } from "./store.ts";

// Held by whoever writes: one provisioning at a time, so that slug and e-mail addresses are looked at and taken at once.
const writeLock = 5198;

const tables = `
  CREATE TABLE IF NOT EXISTS tenants (
    id uuid PRIMARY KEY,
    name text NOT NULL,
    slug text NOT NULL UNIQUE,
    database_name text NOT NULL,
    qdrant_http_port integer NOT NULL,
    qdrant_grpc_port integer NOT NULL,
    minio_endpoint text NOT NULL,
    minio_bucket text NOT NULL,
    created_at timestamptz NOT NULL
  );
  CREATE TABLE IF NOT EXISTS users (
    id uuid PRIMARY KEY,
    tenant_id uuid NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
    email text NOT NULL,
    password_hash text NOT NULL,
    first_name text NOT NULL,
    last_name text NOT NULL,
    role text NOT NULL
  );
  CREATE UNIQUE INDEX IF NOT EXISTS users_email ON users (lower(email));
  CREATE TABLE IF NOT EXISTS signing_keys (name text PRIMARY KEY, private_key text NOT NULL);
`;

/** Makes the tables where they are missing. Safe to call from several processes at once. */
export const makeTables = (pool: pg.Pool): Promise<void> =>
  locked(pool, async (client) => void (await client.query(tables)));

/** The store; the tables must be there. */
export const createPostgresStore = (pool: pg.Pool): IdentityStore => ({
  replace: (tenant, user) =>
    locked(pool, async (client) => {
      const holder = await client.query(
        "SELECT 1 FROM users JOIN tenants ON tenants.id = tenant_id WHERE lower(email) = lower($1) AND slug <> $2",
        [user.email, tenant.slug],
      );
      if (holder.rowCount !== 0) return "email-taken";
      await client.query("DELETE FROM tenants WHERE slug = $1", [tenant.slug]);
      await client.query("INSERT INTO tenants VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)", [
        tenant.id,
        tenant.name,
        tenant.slug,
        tenant.databaseName,
        tenant.qdrantHttpPort,
        tenant.qdrantGrpcPort,
        tenant.minioEndpoint,
        tenant.minioBucket,
        tenant.createdAt,
      ]);
      await client.query("INSERT INTO users VALUES ($1, $2, $3, $4, $5, $6, $7)", [
        user.id,
        user.tenantId,
        user.email,
        user.passwordHash,
        user.firstName,
        user.lastName,
        user.role,
      ]);
      return "done";
    }),
  tenant: async (slug) => {
    const { rows } = await pool.query<Tenant>(
      `SELECT id, name, slug, database_name AS "databaseName", qdrant_http_port AS "qdrantHttpPort",
         qdrant_grpc_port AS "qdrantGrpcPort", minio_endpoint AS "minioEndpoint", minio_bucket AS "minioBucket",
         created_at AS "createdAt"
       FROM tenants WHERE slug = $1`,
      [slug],
    );
    return rows[0];
  },
  user: async (email) => {
    const { rows } = await pool.query<UserOfTenant>(
      `SELECT users.id, tenant_id AS "tenantId", email, password_hash AS "passwordHash", first_name AS "firstName",
         last_name AS "lastName", role, slug AS "tenantSlug", name AS "tenantName"
       FROM users JOIN tenants ON tenants.id = tenant_id WHERE lower(email) = lower($1)`,
      [email],
    );
    return rows[0];
  },
  signingKey: (make) =>
    locked(pool, async (client) => {
      const { rows } = await client.query<{ key: string }>("SELECT private_key AS key FROM signing_keys");
      if (rows[0] !== undefined) return rows[0].key;
      const key = await make();
      await client.query("INSERT INTO signing_keys VALUES ('token', $1)", [key]);
      return key;
    }),
});

const locked = async <T>(pool: pg.Pool, write: (client: pg.PoolClient) => Promise<T>): Promise<T> => {
  const client = await pool.connect();
  // One that breaks here is an error of the next query, and not of the process.
  const onError = (): void => undefined;
  client.on("error", onError);
  try {
    await client.query("BEGIN");
    await client.query("SELECT pg_advisory_xact_lock($1)", [writeLock]);
    const result = await write(client);
    await client.query("COMMIT");
    client.off("error", onError);
    client.release();
    return result;
  } catch (error) {
    client.release(true); // the server rolls back when the connection ends
    throw error;
  }
};
