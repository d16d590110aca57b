import assert from "node:assert/strict";
import test from "node:test";
import { identityConformance } from "./conformance.ts";
import { createServer } from "./http.ts";
import { createMemoryStore } from "./store.ts";
import type { Client } from "./token-endpoint.ts";
import { createSigner, makeKey } from "./tokens.ts";

const issuer = "http://localhost:5198";
const machine: Client = {
  clientId: "machine",
  grant: "client_credentials",
  secret: "a-long-secret-of-it",
  scopes: ["deeplens.api"],
};
const signer = createSigner(await makeKey(), issuer);
const server = createServer({
  store: createMemoryStore(),
  signer,
  issuer,
  clients: [machine],
  passwordCost: 1024,
});

identityConformance("in memory", async (method, url, body) => {
  const form = body instanceof URLSearchParams;
  const headers = body && { "content-type": form ? "application/x-www-form-urlencoded" : "application/json" };
  const payload = body && (form ? body.toString() : JSON.stringify(body));
  const answer = await server.inject({ method, url, ...(body ? { headers, payload } : {}) } as object);
  return { status: answer.statusCode, body: answer.json() };
});

test("a client with a secret gets a token for itself, by form or by header, and none with another secret", async () => {
  // RFC 6749, 2.3.1, 4.4 and 5.2 (401 where the header was used)
  const ask = async (form: Record<string, string>, authorization?: string) => {
    const headers = {
      "content-type": "application/x-www-form-urlencoded",
      ...(authorization ? { authorization } : {}),
    };
    const payload = new URLSearchParams({ grant_type: "client_credentials", ...form }).toString();
    return server.inject({ method: "POST", url: "/connect/token", headers, payload });
  };
  const basic = (secret: string): string => `Basic ${Buffer.from(`machine:${secret}`).toString("base64")}`;
  const byForm = await ask({ client_id: "machine", client_secret: machine.secret });
  assert.equal(byForm.statusCode, 200);
  assert.equal(byForm.headers["cache-control"], "no-store");
  const claims = String(byForm.json<{ access_token: string }>().access_token).split(".")[1] ?? "";
  const { sub, client_id } = JSON.parse(Buffer.from(claims, "base64url").toString()) as Record<
    string,
    string
  >;
  assert.deepEqual([sub, client_id], [undefined, "machine"]);
  assert.equal((await ask({}, basic(machine.secret))).statusCode, 200);
  assert.equal((await ask({}, basic("wrong"))).statusCode, 401);
  assert.equal((await ask({ client_id: "machine" })).statusCode, 400);
});

test("no refusal repeats a password that was sent", async () => {
  const secret = "s3cret-In-A-Body";
  for (const payload of [{ adminPassword: secret }, `{"adminPassword":"${secret}`]) {
    const headers = { "content-type": "application/json" };
    const answer = await server.inject({ method: "POST", url: "/api/tenant/provision", headers, payload });
    assert.equal(answer.statusCode, 400);
    assert.ok(!answer.body.includes(secret));
  }
});
