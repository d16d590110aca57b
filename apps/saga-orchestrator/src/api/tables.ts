import { type Pool, quoteIdentifier } from "@deeplens/postgres";

/** The orchestrator's tables by their whole names, as SQL takes them. */
export type Tables = Readonly<
  Record<"requests" | "tenants" | "sagas" | "history" | "inbox" | "audit" | "shards", string>
>;

/** The tables in that schema of the control database. */
export const tablesOf = (schema: string): Tables => {
  const inSchema = (name: string): string => `${quoteIdentifier(schema)}.${name}`;
  return {
    requests: inSchema("requests"),
    tenants: inSchema("tenants"),
    sagas: inSchema("sagas"),
    history: inSchema("history"),
    inbox: inSchema("inbox"),
    audit: inSchema("audit"),
    shards: inSchema("shards"),
  };
};

/** Where an answer is read from: the pool, and the tables in it. */
export interface Db {
  readonly pool: Pool;
  readonly tables: Tables;
}
