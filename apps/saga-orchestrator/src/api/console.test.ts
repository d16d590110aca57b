import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { brotliDecompressSync } from "node:zlib";
import Fastify from "fastify";
import { readConsole } from "./console-files.ts";
import { answerErrors } from "./errors.ts";
import { consoleRoutes } from "./routes/console.ts";
import { type Api, validateWithZod } from "./zod-types.ts";

const script = `export const text = "${"a".repeat(500)}";`;

const served = (t: TestContext, build = true) => {
  const folder = mkdtempSync(join(tmpdir(), "deeplens-console-"));
  t.after(() => rmSync(folder, { recursive: true }));
  if (build) {
    mkdirSync(join(folder, "assets"));
    writeFileSync(join(folder, "index.html"), "<!doctype html>");
    writeFileSync(join(folder, "assets/main-abc.js"), script);
    writeFileSync(join(folder, "notes.txt"), "no file of a page");
  }
  const app = Fastify();
  validateWithZod(app);
  answerErrors(app);
  consoleRoutes(app as unknown as Api, readConsole(folder));
  return app;
};

test("the page is served with a policy that runs nothing but its own files", async (t) => {
  const page = await served(t).inject({ url: "/console/" });
  assert.equal(page.statusCode, 200);
  assert.equal(page.headers["content-type"], "text/html; charset=utf-8");
  assert.equal(page.headers["cache-control"], "no-cache");
  const policy = String(page.headers["content-security-policy"]);
  assert.match(policy, /default-src 'none'; script-src 'self'; style-src 'self'/);
  assert.doesNotMatch(policy, /unsafe/);
  assert.equal((await served(t).inject({ url: "/console" })).headers.location, "console/");
});

test("a file goes out packed to who takes that, for ever by its name, and not again by its tag", async (t) => {
  const app = served(t);
  const url = "/console/assets/main-abc.js";
  const packed = await app.inject({ url, headers: { "accept-encoding": "gzip, br" } });
  assert.equal(packed.headers["content-encoding"], "br");
  assert.equal(brotliDecompressSync(packed.rawPayload).toString(), script);
  assert.match(String(packed.headers["cache-control"]), /immutable/);
  const plain = await app.inject({ url });
  assert.equal(plain.headers["content-encoding"], undefined);
  assert.equal(plain.body, script);
  const known = await app.inject({ url, headers: { "if-none-match": String(plain.headers.etag) } });
  assert.equal(known.statusCode, 304);
});

test("no path leads out of the page's files", async (t) => {
  const app = served(t);
  for (const path of [
    "../package.json",
    "..%2fpackage.json",
    "%2e%2e/x.js",
    "assets/",
    "notes.txt",
    "nothing.js",
  ])
    assert.equal((await app.inject({ url: `/console/${path}` })).statusCode, 404, path);
});

test("an orchestrator without the built page says how to build it", async (t) => {
  const answer = await served(t, false).inject({ url: "/console/" });
  assert.equal(answer.statusCode, 404);
  assert.equal(answer.json().code, "console-not-built");
});
