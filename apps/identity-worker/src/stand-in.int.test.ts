import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { after, test } from "node:test";
import { createPool } from "@deeplens/postgres";
import { createLogger } from "@deeplens/telemetry";
import { stack } from "@deeplens/testing";
import { passwordPurpose } from "./asked-tenant.ts";
import { commandOf, type Rig, rigOf } from "./identity.fixture.ts";

// On the installation's Identity API. It has no delete: what the tests made is taken out of its database.
const prefix = `it-${randomBytes(4).toString("hex")}`;
const freshCommand = () => commandOf(`${prefix} ${randomBytes(3).toString("hex")} co`);
const longestRequestMs = 10_000;
const rigFor = (command: ReturnType<typeof commandOf>, at = url()): Rig =>
  rigOf(at, command, longestRequestMs);

after(async () => {
  const { host, port, adminUser: user, password } = stack().tenantDb;
  const log = createLogger("tests", "silent");
  const pool = createPool(
    { host, port, user, password, database: "deeplens_identity" },
    { name: "tests", log },
  );
  await pool.query("DELETE FROM tenants WHERE slug LIKE $1", [`${prefix}-%`]);
  await pool.end();
});

const url = (): string => stack().identity.url;

const tenantThere = async (slug: string): Promise<{ status: number; body: unknown }> => {
  const response = await fetch(`${url()}/api/tenant/${slug}`);
  return { status: response.status, body: await response.json() };
};

/** Whom a token names, that the administrator gets with this password; undefined where it gets none. */
const loginOf = async (email: string, password: string): Promise<Record<string, unknown> | undefined> => {
  const form = { grant_type: "password", client_id: "deeplens-webui-dev", username: email, password };
  const response = await fetch(`${url()}/connect/token`, { method: "POST", body: new URLSearchParams(form) });
  if (!response.ok) return undefined;
  const { access_token: token } = (await response.json()) as { access_token: string };
  return JSON.parse(Buffer.from(token.split(".")[1] ?? "", "base64url").toString("utf8"));
};

const passwordOf = ({ secrets }: Rig, { tenant }: ReturnType<typeof commandOf>): string =>
  secrets.values.get(`${tenant.tenantId}/${passwordPurpose}`) ?? assert.fail("there is no password");

test("the administrator logs in with the password that was made here; twice is once", async () => {
  const command = freshCommand();
  const rig = rigFor(command);
  const done = await rig.provision();
  const claims = await loginOf(command.administrator.email, passwordOf(rig, command));
  const { tenantId, adminUserId, slug } = done.outputs;
  assert.deepEqual(
    [claims?.tenant_id, claims?.sub, claims?.tenant_slug, claims?.role],
    [tenantId, adminUserId, slug, "TenantOwner"],
  );
  const before = await tenantThere(command.tenant.slug);
  assert.deepEqual(await rig.provision(), done);
  assert.deepEqual(await tenantThere(command.tenant.slug), before);
});

test("a tenant without storage is made and adopted", async () => {
  const command = { ...freshCommand(), storage: { type: "none" as const } };
  const rig = rigFor(command);
  assert.deepEqual(await rig.provision(), await rig.provision());
});

test("rule 19: a tenant made by hand is refused, not asked, and its administrator keeps the password", async () => {
  const command = freshCommand();
  const { tenant } = command;
  const byHand = {
    tenantName: tenant.name,
    databaseName: "by_hand",
    adminEmail: `hand@${tenant.slug}.test`,
    adminPassword: "By-hand-12345",
    adminFirstName: "By",
    adminLastName: "Hand",
    qdrantHttpPort: 1,
    qdrantGrpcPort: 2,
  };
  const body = JSON.stringify(byHand);
  const headers = { "content-type": "application/json" };
  assert.ok((await fetch(`${url()}/api/tenant/provision`, { method: "POST", headers, body })).ok);
  const before = await tenantThere(tenant.slug);
  const rig = rigFor(command);
  await assert.rejects(rig.provision(), { code: "identity-tenant-owned-by-other", pivot: "not-asked" });
  assert.equal((await rig.compensate())[0]?.outcome, "foreign");
  assert.deepEqual(await tenantThere(tenant.slug), before);
  assert.ok(await loginOf(byHand.adminEmail, byHand.adminPassword));
});

test("rule 20: an e-mail address of another tenant's administrator is refused, and the undo finds nothing", async () => {
  const first = freshCommand();
  await rigFor(first).provision();
  const second = { ...freshCommand(), administrator: first.administrator };
  const rig = rigFor(second);
  await assert.rejects(rig.provision(), {
    code: "identity-refused",
    pivot: "refused",
    message: new RegExp(`User with email '${first.administrator.email}' already exists`),
  });
  assert.deepEqual(await rig.compensate(), [
    { kind: "identity-tenant", name: second.tenant.slug, outcome: "absent" },
  ]);
  assert.equal((await tenantThere(second.tenant.slug)).status, 404);
  assert.equal(rig.secrets.values.size, 0);
});

test("rule 20: an answer that never comes is settled by a look: one tenant, made once, its password known", async () => {
  const command = freshCommand();
  const losing = await losingAnswers(url());
  try {
    const rig = rigFor(command, losing.url);
    const done = await rig.provision();
    assert.equal(losing.posts(), 1);
    const claims = await loginOf(command.administrator.email, passwordOf(rig, command));
    assert.equal(claims?.tenant_id, done.outputs.tenantId);
    assert.deepEqual((await rig.provision()).outputs, done.outputs);
    assert.equal(losing.posts(), 1);
    await assert.rejects(rig.compensate(), { code: "identity-cannot-be-undone" });
    assert.ok(await loginOf(command.administrator.email, passwordOf(rig, command)));
  } finally {
    losing.close();
  }
});

/** Passes everything on to the Identity API, and loses every answer to a POST. */
const losingAnswers = async (target: string) => {
  let posts = 0;
  const server = createServer(async (request, response) => {
    const body = Buffer.concat(await request.toArray());
    const headers = { "content-type": "application/json" };
    const post = request.method === "POST";
    const answer = await fetch(`${target}${request.url}`, post ? { method: "POST", headers, body } : {});
    const content = await answer.text();
    if (!post) return response.writeHead(answer.status, headers).end(content);
    posts += 1;
    return request.socket.destroy();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    posts: () => posts,
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
};
