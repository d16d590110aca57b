import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { sagaId, sagaOf, startFakeApi, tenantId, tenantOf } from "./testing/fake-api.ts";
import { runAsProcess } from "./testing/run-cli.ts";

const home = mkdtempSync(join(tmpdir(), "tenantctl-"));
after(() => rmSync(home, { recursive: true, force: true }));

test("as a process: standard output has the JSON alone, and the exit code says how it ended", async (t) => {
  const ok = (body: unknown) => ({ status: 200, body });
  const api = await startFakeApi({
    "GET /v1/tenants/acme": ok(tenantOf()),
    [`GET /v1/tenants/${tenantId}`]: ok(tenantOf({ state: "stuck" })),
    [`GET /v1/sagas/${sagaId}`]: ok(sagaOf({ status: "stuck" })),
    [`GET /v1/sagas/${sagaId}/events`]: {
      events: [
        { type: "saga", saga: sagaOf({ status: "stuck" }) },
        { type: "end", status: "stuck" },
      ],
    },
  });
  t.after(() => api.close());
  mkdirSync(join(home, "deeplens", "other"), { recursive: true });
  const tokenFile = join(home, "token");
  writeFileSync(tokenFile, "a token");
  writeFileSync(
    join(home, "deeplens", "other", "stack.json"),
    JSON.stringify({ api: { url: api.url, tokenFile } }),
  );
  const watched = await runAsProcess(["watch", "acme", "--installation", "other", "--json"], home);
  assert.equal(watched.code, 1);
  assert.equal(JSON.parse(watched.stdout).state, "stuck");
  assert.match(watched.stderr, /database done/);
  const address = await runAsProcess(["config", "get", "api", "--installation", "other"], home);
  assert.deepEqual([address.code, address.stdout], [0, `${api.url}\n`]);
});

test("as a process: a mistyped command ends with 2 and the right one", async () => {
  const { code, stderr } = await runAsProcess(["creat", "acme"], home);
  assert.equal(code, 2);
  assert.match(stderr, /Did you mean create\?/);
});
