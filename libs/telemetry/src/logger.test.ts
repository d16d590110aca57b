import assert from "node:assert/strict";
import { test } from "node:test";
import { createLogger, type Logger } from "./logger.ts";

const logged = (
  write: (log: Logger) => void,
  level?: string,
): { text: string; lines: Record<string, unknown>[] } => {
  let text = "";
  write(
    createLogger("db-worker", level, {
      write: (chunk) => {
        text += chunk;
      },
    }),
  );
  const lines = text.split("\n").filter((line) => line !== "");
  return { text, lines: lines.map((line) => JSON.parse(line)) };
};

test("a line is JSON with service, time, level and message, and the tenant and saga that are bound", () => {
  const { lines } = logged((log) =>
    log.child({ tenant: "acme", saga: "s-1" }).info({ step: "database" }, "done"),
  );
  const { time, pid: _pid, hostname: _hostname, ...rest } = lines[0] ?? {};
  assert.match(String(time), /^\d{4}-\d\d-\d\dT[\d:.]+Z$/);
  assert.deepEqual(rest, {
    level: "info",
    service: "db-worker",
    tenant: "acme",
    saga: "s-1",
    step: "database",
    msg: "done",
  });
});

test("secrets are cut out by the names of their keys, however deep a log line reasonably goes", () => {
  const secret = "hush-hush";
  const keys = [
    "password",
    "adminPassword",
    "secret",
    "secretKey",
    "secretAccessKey",
    "apiKey",
    "api_key",
    "token",
  ];
  const more = [
    "authorization",
    "masterKey",
    "credentials",
    "sasl",
    "connectionString",
    "sessionToken",
    "accountKey",
    "sasToken",
    "privateKey",
    "private_key",
  ];
  for (const key of [...keys, ...more]) {
    const { text } = logged((log) => {
      log.info({ [key]: secret });
      log.info({ options: { [key]: secret } });
      log.info({ options: { headers: { [key]: secret } } });
      log.info({ a: { b: { c: { [key]: secret } } } });
      log.info({ brokers: [{ [key]: secret }] });
      log.child({ [key]: secret }).info("bound");
      log.error({ err: Object.assign(new Error("refused"), { [key]: secret }) });
      log.error({ err: Object.assign(new Error("refused"), { config: { [key]: secret } }) });
    });
    assert.ok(!text.includes(secret), `${key} came through: ${text}`);
    assert.ok(text.includes("[secret]"));
  }
});

test("an error tells its type, message and stack, under whatever key it stands", () => {
  const { lines } = logged((log) => log.error({ err: new TypeError("no such"), cause: new Error("why") }));
  const [line] = lines as [{ err: Record<string, string>; cause: Record<string, string> }];
  assert.deepEqual([line.err.type, line.err.message, line.cause.message], ["TypeError", "no such", "why"]);
  assert.match(line.err.stack ?? "", /TypeError: no such\n +at /);
});

test("what is logged is not changed", () => {
  const options = { password: "hush", list: [{ token: "hush" }] };
  logged((log) => log.info({ options }));
  assert.deepEqual(options, { password: "hush", list: [{ token: "hush" }] });
});

test("what is no secret stays readable", () => {
  const { lines } = logged((log) =>
    log.info({ passwordRef: "secret:1/database.owner/1", user: "tenant_acme_app" }),
  );
  assert.equal(lines[0]?.passwordRef, "secret:1/database.owner/1");
  assert.equal(lines[0]?.user, "tenant_acme_app");
});

test("lines below the level are not written", () => {
  const { lines } = logged((log) => {
    log.debug("no");
    log.info("no");
    log.warn("yes");
  }, "warn");
  assert.deepEqual(
    lines.map(({ msg }) => msg),
    ["yes"],
  );
});
