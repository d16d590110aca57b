/** The suite against the installation's Identity API, on its Postgres. */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import test, { after } from "node:test";
import { stack } from "@deeplens/testing";
import pg from "pg";
import { identityConformance } from "./conformance.ts";
import { createPostgresStore, makeTables } from "./postgres-store.ts";
import { rowsOf } from "./store.ts";

identityConformance("on Postgres", async (method, path, body) => {
  const form = body instanceof URLSearchParams;
  const headers = form ? {} : { "content-type": "application/json" };
  const sent = body && { headers, body: form ? body : JSON.stringify(body) };
  const answer = await fetch(stack().identity.url + path, { method, ...sent });
  return { status: answer.status, body: await answer.json() };
});

// The API has no delete: the suite's tenants are taken out of its database.
after(async () => {
  const { host, port, adminUser: user, password } = stack().tenantDb;
  const admin = new pg.Pool({ host, port, user, password, database: "deeplens_identity", max: 1 });
  await admin.query("DELETE FROM tenants WHERE slug ~ '^(conformance|nique-co-ltd)-[0-9a-f]{10}$'");
  await admin.end();
});

const withDatabase = async (body: (pool: pg.Pool) => Promise<void>): Promise<void> => {
  const { host, port, adminUser: user, password } = stack().tenantDb;
  const admin = new pg.Pool({ host, port, user, password, database: "postgres", max: 1 });
  const database = `test_identity_${randomBytes(6).toString("hex")}`;
  await admin.query(`CREATE DATABASE ${database}`);
  const pool = new pg.Pool({ host, port, user, password, database, max: 8 });
  // end() resolves before the sockets are closed: the forced drop may still meet one.
  pool.on("error", () => undefined);
  pool.on("connect", (client) => client.on("error", () => undefined));
  try {
    await body(pool);
  } finally {
    await pool.end();
    await admin.query(`DROP DATABASE ${database} WITH (FORCE)`);
    await admin.end();
  }
};

test("processes that start together make the tables and the signing key once", () =>
  withDatabase(async (pool) => {
    await Promise.all([1, 2, 3].map(() => makeTables(pool)));
    const store = createPostgresStore(pool);
    const keys = await Promise.all([1, 2, 3].map((n) => store.signingKey(async () => `key ${n}`)));
    assert.equal(new Set(keys).size, 1);
    assert.equal(await store.signingKey(async () => "another"), keys[0]);
  }));

test("two requests for one slug, or for one e-mail address, at once: one tenant, one user, no half", () =>
  withDatabase(async (pool) => {
    await makeTables(pool);
    const store = createPostgresStore(pool);
    const replace = (slug: string, adminEmail: string) => {
      const names = { tenantName: slug, adminFirstName: "A", adminLastName: "B", databaseName: "d" };
      const request = { ...names, adminEmail, adminPassword: "", qdrantHttpPort: 1, qdrantGrpcPort: 2 };
      const { tenant, user } = rowsOf(request, slug, "hash", new Date());
      return store.replace(tenant, user);
    };
    const oneSlug = await Promise.all(["a@x", "b@x", "c@x"].map((email) => replace("same", email)));
    assert.deepEqual(oneSlug, ["done", "done", "done"]);
    const oneEmail = await Promise.all(["s1", "s2", "s3"].map((slug) => replace(slug, "one@x")));
    assert.deepEqual(oneEmail.toSorted(), ["done", "email-taken", "email-taken"]);
    const count =
      "SELECT (SELECT count(*)::int FROM tenants) AS tenants, (SELECT count(*)::int FROM users) AS users";
    assert.deepEqual((await pool.query(count)).rows, [{ tenants: 2, users: 2 }]);
  }));
