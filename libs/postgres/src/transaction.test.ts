import assert from "node:assert/strict";
import { EventEmitter } from "node:events";
import { test } from "node:test";
import pg from "pg";
import type { Pool, PoolClient } from "./pool.ts";
import { inTransaction } from "./transaction.ts";

/** A pool of one connection that notes what it was asked, and fails where it is told to. */
const poolOf = (fail: (statement: string, nth: number) => Error | undefined = () => undefined) => {
  const asked: string[] = [];
  const released: (Error | undefined)[] = [];
  const connect = async () =>
    Object.assign(new EventEmitter(), {
      query: async (statement: string) => {
        asked.push(statement);
        const error = fail(statement, asked.filter((one) => one === statement).length);
        if (error !== undefined) throw error;
      },
      release: (error?: Error) => released.push(error),
    });
  return { pool: { connect } as unknown as Pool, asked, released };
};
const databaseError = (code: string): Error =>
  Object.assign(new pg.DatabaseError(code, 0, "error"), { code });

test("work is done between BEGIN and COMMIT, and its connection goes back whole", async () => {
  const { pool, asked, released } = poolOf();
  const work = async (client: PoolClient): Promise<string> => {
    await client.query("WORK");
    return "done";
  };
  assert.equal(await inTransaction(pool, work), "done");
  assert.deepEqual(asked, ["BEGIN", "WORK", "COMMIT"]);
  assert.deepEqual(released, [undefined]);
});

test("rule 02: a serialization failure and a deadlock are tried again from the start", async () => {
  for (const code of ["40001", "40P01"]) {
    const { pool, asked } = poolOf((statement, nth) =>
      statement === "WORK" && nth < 3 ? databaseError(code) : undefined,
    );
    await inTransaction(pool, (client) => client.query("WORK"));
    const once = ["BEGIN", "WORK", "ROLLBACK"];
    assert.deepEqual(asked, [...once, ...once, "BEGIN", "WORK", "COMMIT"], code);
  }
});

test("rule 02: a serialization failure at COMMIT is one like any other", async () => {
  const { pool, asked } = poolOf((statement, nth) =>
    statement === "COMMIT" && nth === 1 ? databaseError("40001") : undefined,
  );
  await inTransaction(pool, (client) => client.query("WORK"));
  assert.equal(asked.filter((statement) => statement === "WORK").length, 2);
});

test("rule 02: it is not tried for ever", async () => {
  const { pool, asked } = poolOf((statement) => (statement === "WORK" ? databaseError("40P01") : undefined));
  await assert.rejects(
    inTransaction(pool, (client) => client.query("WORK")),
    { code: "40P01" },
  );
  assert.equal(asked.filter((statement) => statement === "BEGIN").length, 10);
});

test("any other error is thrown at once, the transaction rolled back", async () => {
  const { pool, asked, released } = poolOf((statement) =>
    statement === "WORK" ? databaseError("23505") : undefined,
  );
  await assert.rejects(
    inTransaction(pool, (client) => client.query("WORK")),
    { code: "23505" },
  );
  assert.deepEqual(asked, ["BEGIN", "WORK", "ROLLBACK"]);
  assert.deepEqual(released, [undefined]);
});

test("a connection that broke is not given to the next one; the first error is the one that is told", async () => {
  const broken = new Error("Connection terminated unexpectedly");
  const { pool, released } = poolOf((statement) => (statement === "BEGIN" ? undefined : broken));
  await assert.rejects(
    inTransaction(pool, (client) => client.query("WORK")),
    broken,
  );
  assert.deepEqual(released, [broken]);
});
