import { createClient, type DatabaseAddress, type Queryable } from "@deeplens/postgres";
import { type Patient, passwordIn } from "./patient.ts";

/** Runs `work` on a connection to the control database. */
export const inControlDatabase = <T>(
  { stack: { controlDb } }: Patient,
  work: (db: Queryable) => Promise<T>,
): Promise<T> => {
  const { host, port, database, user, passwordFile } = controlDb;
  return onDatabase({ host, port, database, user, password: passwordIn(passwordFile) }, work);
};

/** Runs `work` on a connection to the tenants' Postgres, as its administrator. */
export const inTenantPostgres = <T>(
  { stack: { tenantDb } }: Patient,
  work: (db: Queryable) => Promise<T>,
): Promise<T> => {
  const { host, port, adminUser: user, passwordFile } = tenantDb;
  return onDatabase({ host, port, database: "postgres", user, password: passwordIn(passwordFile) }, work);
};

const onDatabase = async <T>(address: DatabaseAddress, work: (db: Queryable) => Promise<T>): Promise<T> => {
  const client = createClient(address, "tenantctl-doctor");
  client.on("error", () => undefined); // one that breaks is the next query's error
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
};
