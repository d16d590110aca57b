import { randomBytes } from "node:crypto";
import {
  createClient,
  createPool,
  type DatabaseAddress,
  type Pool,
  quoteIdentifier,
} from "@deeplens/postgres";
import { createLogger } from "@deeplens/telemetry";
import { stack } from "./stack.ts";

/** Where an `after` or `t.after` of node:test registers a clean-up. */
export type CleanUp = (work: () => Promise<void>) => void;

export interface TestDatabase {
  readonly address: DatabaseAddress;
  readonly pool: Pool;
}

/**
 * A control database of a test file's own, empty, on the test installation's Postgres; `after` drops it.
 */
export const testDatabase = async (after: CleanUp): Promise<TestDatabase> => {
  const { controlDb, tenantDb } = stack();
  const name = `test_${randomBytes(6).toString("hex")}`;
  const administer = async (...statements: readonly string[]): Promise<void> => {
    const { host, port, adminUser: user, password } = tenantDb;
    const client = createClient({ host, port, user, password, database: "postgres" }, "tests");
    await client.connect();
    try {
      for (const statement of statements) await client.query(statement);
    } finally {
      await client.end();
    }
  };
  const database = quoteIdentifier(name);
  await administer(
    `CREATE DATABASE ${database} OWNER ${quoteIdentifier(controlDb.user)}`,
    `REVOKE CONNECT ON DATABASE ${database} FROM PUBLIC`,
  );
  const address = { ...controlDb, database: name };
  const pool = createPool(address, { name: "tests", log: createLogger("tests", "silent") });
  after(async () => {
    await pool.end();
    await administer(`DROP DATABASE IF EXISTS ${database} WITH (FORCE)`);
  });
  return { address, pool };
};
