import assert from "node:assert/strict";
import { after, test } from "node:test";
import { createPool } from "@deeplens/postgres";
import { createLogger } from "@deeplens/telemetry";
import { cleanUps, testDatabase } from "@deeplens/testing";
import { eventually } from "../testing/eventually.ts";
import { startInboxBell } from "./inbox-bell.ts";

const last = cleanUps();
after(() => last.run());
const { address, pool } = await testDatabase(last.add);
const log = createLogger("tests", "silent");
const own = createPool(address, { name: "bell", log, size: 1 });
last.add(() => own.end());
let rings = 0;
const bell = startInboxBell({
  pool: own,
  log,
  onRows: () => {
    rings += 1;
  },
});
last.addFirst(() => bell.stop());

const hears = async (work: () => Promise<unknown>): Promise<void> => {
  const before = rings;
  await work();
  await eventually(() => assert.ok(rings > before, "it rang"));
};
const put = () => pool.query("SELECT pg_notify('saga_inbox', '0')");

test("it rings when it begins to listen, and when rows come in", async () => {
  await eventually(() => assert.equal(rings, 1));
  await hears(put);
  await hears(put);
});

// Seen to fail with one session, and none after it.
test("a session that broke is replaced: it rings, for what it may have missed, and hears the next", async () => {
  await hears(() =>
    pool.query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'bell'"),
  );
  await hears(put);
});
