import assert from "node:assert/strict";
import { createServer, connect as openSocket, type Socket } from "node:net";
import { after, before, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { commandsTopic, shardOf } from "@deeplens/contracts";
import { headerText } from "@deeplens/messaging";
import { failing, filesOf, hold, runsOf } from "./testing/rig/file-step.ts";
import { eventually, shards, type WorkerRig, workerRig } from "./testing/rig/worker-rig.ts";

let rig: WorkerRig;
const cleanUps: (() => Promise<void>)[] = [];
before(async () => {
  rig = await workerRig((work) => void cleanUps.push(work));
});
after(async () => {
  for (const cleanUp of cleanUps.reverse()) await cleanUp();
});

const heardOf = (slug: string, record: string): number =>
  rig.heard.filter(({ reply }) => reply.value.slug === slug && reply.record === record).length;

test("a command is done and answered on its slug's shard, undone with a receipt, and the process stops cleanly", async () => {
  const worker = await rig.spawn();
  const tenant = rig.tenant();
  await rig.send(rig.provision(tenant, 1));
  const reply = await rig.answer(tenant, 1);
  assert.equal(reply.record, "StepCompleted");
  assert.deepEqual(await filesOf(rig.folder, tenant.slug), { one: tenant.tenantId, two: tenant.tenantId });
  const heard = rig.heard.find(({ reply: one }) => one.value.slug === tenant.slug);
  assert.equal(heard?.partition, shardOf(tenant.slug, shards));
  assert.equal(headerText(heard?.headers, "deeplens_fence"), "1");

  await rig.send(rig.undo(tenant, 2));
  assert.partialDeepStrictEqual(await rig.answer(tenant, 2), {
    record: "StepCompensated",
    value: { receipt: [{ outcome: "removed" }, { outcome: "removed" }] },
  });
  assert.deepEqual(await filesOf(rig.folder, tenant.slug), {});
  await rig.send(rig.undo(tenant, 3, { purpose: "second-look" }));
  assert.partialDeepStrictEqual(await rig.answer(tenant, 3), {
    record: "StepCompensated",
    value: { receipt: [] },
  });
  assert.equal(await worker.stop(), 0);
});

test("a worker is live and ready, and names what is not", async () => {
  const worker = await rig.spawn();
  const line = worker.lines.find((text) => text.includes("answers /health/live")) ?? "{}";
  const { port } = JSON.parse(line) as { port: number };
  const ask = (path: string) => fetch(`http://127.0.0.1:${port}/health/${path}`);
  assert.equal((await ask("live")).status, 200);
  const ready = await ask("ready");
  assert.deepEqual(
    [ready.status, await ready.json()],
    [200, { status: "ready", checks: { kafka: "ok", "control-database": "ok" } }],
  );
  await worker.stop();
});

// Seen to fail with the rethrow of `read` made to cover undecodable records too: the partition then stands still.
test("rule 08: what can't be read goes to the dead letters as it was, and its partition goes on", async () => {
  const worker = await rig.spawn();
  const tenant = rig.tenant(0);
  const unknownSchema = Buffer.from([0, 0x7f, 0xff, 0xff, 0xff, 1, 2, 3]);
  const valid = rig.codec.encode(commandsTopic("storage"), rig.provision(tenant, 1));
  const garbage = [Buffer.from("not avro"), unknownSchema, valid.subarray(0, valid.length - 20), null];
  for (const value of garbage) await rig.sendRaw(tenant, value);
  const wrongStep = rig.provision(tenant, 1);
  await rig.send({ ...wrongStep, value: { ...wrongStep.value, step: "vectors" } } as typeof wrongStep);
  await rig.send(rig.provision(tenant, 1));
  assert.equal((await rig.answer(tenant, 1)).record, "StepCompleted");

  const letters = await rig.deadLetters(5);
  assert.deepEqual(
    letters.map(({ headers }) => headerText(headers, "dlq_code")),
    ["magic-byte", "unknown-schema", "avro", "empty", "unusable-command"],
  );
  for (const [index, value] of garbage.entries()) {
    assert.deepEqual(letters[index]?.value, value);
    assert.equal(letters[index]?.key?.toString(), tenant.slug);
    assert.equal(headerText(letters[index]?.headers, "from"), "a test");
    assert.equal(headerText(letters[index]?.headers, "dlq_topic"), rig.topics.commands);
  }
  await worker.stop();
});

// Seen to fail with every error of `decode` taken for an undecodable record: the command is then a dead letter.
test("rule 08: while the registry is down a partition waits, and no dead letter is made", async () => {
  const target = new URL(rig.config.SCHEMA_REGISTRY_URL);
  const proxy = await registryProxy(target.hostname, Number(target.port));
  const worker = await rig.spawn({ config: { SCHEMA_REGISTRY_URL: `http://127.0.0.1:${proxy.port}` } });
  await proxy.down();
  const tenant = rig.tenant(1);
  const before = (await rig.deadLetters(0)).length;
  await rig.send(rig.provision(tenant, 1));
  await worker.logged(/its partition waits/);
  await proxy.up();
  assert.equal((await rig.answer(tenant, 1)).record, "StepCompleted");
  await delay(300);
  assert.equal((await rig.deadLetters(before)).length, before);
  await worker.stop();
  await proxy.down();
});

test("rule 11: the same command again joins while it runs, and is answered again when it is done", async () => {
  const worker = await rig.spawn();
  const tenant = rig.tenant();
  const held = await hold(rig.folder, tenant.slug, "start");
  const command = rig.provision(tenant, 4);
  await rig.send(command, command);
  await eventually("the handler", held.there);
  await rig.send(command, rig.provision(tenant, 3));
  await delay(300);
  await held.letGo();
  await rig.answer(tenant, 4);
  assert.deepEqual(await runsOf(rig.folder, tenant.slug), [`4-${worker.pid}`]);
  await rig.send(command);
  await eventually("a second answer", () => heardOf(tenant.slug, "StepCompleted") === 2 || undefined);
  assert.deepEqual(await runsOf(rig.folder, tenant.slug), [`4-${worker.pid}`]);
  await worker.stop();
});

test("rule 11: a provision that comes again after the undo rebuilds nothing", async () => {
  const worker = await rig.spawn();
  const tenant = rig.tenant();
  const provision = rig.provision(tenant, 1);
  await rig.send(provision);
  await rig.answer(tenant, 1);
  await rig.send(rig.undo(tenant, 2));
  await rig.answer(tenant, 2);
  await rig.send(provision, rig.undo(tenant, 3, { purpose: "second-look" }));
  await rig.answer(tenant, 3);
  await rig.send(provision);
  await worker.logged(/"fence":1.*an older command is not done/);
  assert.deepEqual(await filesOf(rig.folder, tenant.slug), {});
  assert.equal((await runsOf(rig.folder, tenant.slug)).length, 1);
  await worker.stop();
});

// Seen to fail with orders that take the step for the part, and with replies that bear the part.
test("rule 11: an operation is fenced by its part, whatever its saga calls the step: answered again, and no older one is done", async () => {
  const worker = await rig.spawn();
  const tenant = rig.tenant();
  const suspend = rig.operate(tenant, 2, "suspend", { sagaId: "a removal" });
  await rig.send(rig.provision(tenant, 1));
  await rig.answer(tenant, 1);
  await rig.send(suspend);
  assert.partialDeepStrictEqual(await rig.answer(tenant, 2), {
    record: "StepCompleted",
    value: { step: "suspend-storage", receipt: [{ kind: "file", outcome: "closed" }] },
  });
  await rig.send(rig.provision(tenant, 1), suspend);
  await eventually("the same answer", () => heardOf(tenant.slug, "StepCompleted") === 3 || undefined);
  assert.deepEqual((await runsOf(rig.folder, tenant.slug)).length, 1);
  assert.equal((await filesOf(rig.folder, tenant.slug)).door, "closed 2");
  await rig.send(rig.operate(tenant, 3, "purge"));
  assert.partialDeepStrictEqual(await rig.answer(tenant, 3), {
    record: "StepFailed",
    value: { step: "purge-storage", code: "not-marked", permanent: true },
  });
  await rig.send(rig.operate(tenant, 4, "purge", { sagaId: "a removal" }));
  assert.equal((await rig.answer(tenant, 4)).record, "StepCompleted");
  assert.deepEqual(await filesOf(rig.folder, tenant.slug), {});
  await rig.send(rig.operate(tenant, 5, "teleport"));
  assert.partialDeepStrictEqual(await rig.answer(tenant, 5), {
    record: "StepFailed",
    value: { code: "operation-unknown", permanent: true },
  });
  const heard = rig.heard.find(({ reply }) => reply.value.slug === tenant.slug && reply.value.fence === 2);
  assert.equal(headerText(heard?.headers, "deeplens_step"), "suspend-storage");
  await worker.stop();
});

test("rule 13: an undo aborts the running handler and begins when that has settled", async () => {
  const worker = await rig.spawn();
  const tenant = rig.tenant();
  const held = await hold(rig.folder, tenant.slug, "one");
  await rig.send(rig.provision(tenant, 1));
  await eventually("the handler inside its first call", held.there);
  await rig.send(rig.undo(tenant, 2));
  await delay(300);
  assert.equal(heardOf(tenant.slug, "StepCompensated"), 0);
  await held.letGo();
  assert.equal((await rig.answer(tenant, 2)).record, "StepCompensated");
  assert.equal(heardOf(tenant.slug, "StepCompleted") + heardOf(tenant.slug, "StepFailed"), 0);
  assert.deepEqual(await filesOf(rig.folder, tenant.slug), {});
  await worker.stop();
});

test("rule 13: a second process waits for what the first one runs, and answers with its reply", async () => {
  const first = await rig.spawn();
  const tenants = [0, 1, 2].map((shard) => rig.tenant(shard));
  const holds = await Promise.all(tenants.map(({ slug }) => hold(rig.folder, slug, "start")));
  await rig.send(...tenants.map((tenant) => rig.provision(tenant, 1)));
  for (const { there } of holds) await eventually("each handler", there);
  // The rebalance brings at least one of these commands to the second process, too.
  const second = await rig.spawn();
  await delay(1_500);
  for (const { letGo } of holds) await letGo();
  for (const tenant of tenants) {
    assert.equal((await rig.answer(tenant, 1)).record, "StepCompleted");
    assert.deepEqual(await runsOf(rig.folder, tenant.slug), [`1-${first.pid}`]);
  }
  await eventually("the second process's answers", () => {
    const twice = tenants.filter(({ slug }) => heardOf(slug, "StepCompleted") > 1);
    return twice.length > 0 || undefined;
  });
  assert.deepEqual(await Promise.all([first.stop(), second.stop()]), [0, 0]);
});

// Seen to fail with `session.lost` not heeded.
test("rule 13: a process that lost its lock session ends, and its handlers go no further", async () => {
  const worker = await rig.spawn();
  const tenant = rig.tenant();
  const held = await hold(rig.folder, tenant.slug, "one");
  await rig.send(rig.provision(tenant, 1));
  await eventually("the handler", held.there);
  await rig.database.pool.query(
    "SELECT pg_terminate_backend(worker.holder_of(worker.part_key($1, 'storage')))",
    [tenant.slug],
  );
  assert.equal(await worker.exited, 1);
  await worker.logged(/the session that holds this worker's locks was lost/);
  await held.letGo();
  const next = await rig.spawn();
  assert.equal((await rig.answer(tenant, 1, 40_000)).record, "StepCompleted");
  assert.deepEqual(await filesOf(rig.folder, tenant.slug), { one: tenant.tenantId, two: tenant.tenantId });
  await next.stop();
});

test("rule 15: slow work says that it started, what was not begun in time expires", async () => {
  const worker = await rig.spawn({ config: { WORKER_CONCURRENCY: 1 } });
  const [slow, late] = [rig.tenant(), rig.tenant()];
  const held = await hold(rig.folder, slow.slug, "start");
  await rig.send(rig.provision(slow, 1));
  await eventually("progress", () => heardOf(slow.slug, "StepProgressed") > 0 || undefined);
  await rig.send(rig.provision(late, 1, { expiresInMs: 200 }));
  await delay(400);
  await held.letGo();
  assert.equal((await rig.answer(slow, 1)).record, "StepCompleted");
  assert.partialDeepStrictEqual(await rig.answer(late, 1), {
    record: "StepFailed",
    value: { permanent: false, code: "expired" },
  });
  assert.equal(heardOf(late.slug, "StepProgressed"), 0);
  assert.deepEqual(await runsOf(rig.folder, late.slug), []);
  await worker.stop();
});

test("rule 16: a try after a failed one uses the same secret, which stands in no reply and no log", async () => {
  const worker = await rig.spawn();
  const tenant = rig.tenant();
  const trouble = await failing(rig.folder, tenant.slug);
  await rig.send(rig.provision(tenant, 1));
  const failed = await rig.answer(tenant, 1);
  assert.partialDeepStrictEqual(failed, {
    record: "StepFailed",
    value: { permanent: false, code: "ECONNREFUSED", message: "the service said no to [secret]" },
  });
  const stored = async () =>
    (await rig.database.pool.query("SELECT * FROM secrets.secrets WHERE owner = $1", [tenant.tenantId])).rows;
  const first = await stored();
  await trouble.end();
  await rig.send(rig.provision(tenant, 2));
  await rig.answer(tenant, 2);
  assert.deepEqual(await stored(), first);
  await rig.send(rig.undo(tenant, 3));
  await rig.answer(tenant, 3);
  assert.deepEqual(await stored(), []);
  await worker.stop();
});

// Seen to fail with `committable` giving the newest finished offset.
test("rule 18: the offset stays before unfinished work, and passes it when it is done", async () => {
  const worker = await rig.spawn();
  const [first, slow, quick] = [rig.tenant(2), rig.tenant(2), rig.tenant(2)];
  const before = await rig.committed(first);
  await rig.send(rig.provision(first, 1));
  const stood = await eventually("a first commit", async () => {
    const offset = await rig.committed(first);
    return offset > before ? offset : undefined;
  });
  const held = await hold(rig.folder, slow.slug, "start");
  await rig.send(rig.provision(slow, 1));
  await rig.send(rig.provision(quick, 1));
  await rig.answer(quick, 1);
  await delay(1_200);
  assert.equal(await rig.committed(slow), stood);
  await held.letGo();
  await rig.answer(slow, 1);
  await eventually(
    "the offset after both",
    async () => (await rig.committed(slow)) === stood + 2 || undefined,
  );
  await worker.stop();
});

// Seen to fail with the resume on GROUP_JOIN taken out: a partition that was lost while it was paused, and came back,
// is never read again.
test("rule 18: after a rebalance every partition is read on, paused or not", async () => {
  const first = await rig.spawn({ config: { WORKER_CONCURRENCY: 1 } });
  const blocker = rig.tenant(0);
  const held = await hold(rig.folder, blocker.slug, "start");
  await rig.send(rig.provision(blocker, 1));
  await eventually("the handler", held.there);
  const many = Array.from({ length: 300 }, () => rig.tenant());
  await rig.send(...many.map((tenant) => rig.undo(tenant, 1)));
  await first.logged(/fetching pauses/);
  const second = await rig.spawn();
  await held.letGo();
  for (const tenant of [blocker, ...many]) await rig.answer(tenant, 1);
  assert.equal(await second.stop(), 0);
  const last = [0, 1, 2].map((shard) => rig.tenant(shard));
  await rig.send(...last.map((tenant) => rig.provision(tenant, 1)));
  for (const tenant of last) await rig.answer(tenant, 1);
  assert.equal(await first.stop(), 0);
});

test("a stop during a handler ends within 10 s, and the next process does the command", async () => {
  const worker = await rig.spawn();
  const tenant = rig.tenant();
  const held = await hold(rig.folder, tenant.slug, "start");
  await rig.send(rig.provision(tenant, 1));
  await eventually("the handler", held.there);
  const began = Date.now();
  assert.equal(await worker.stop(), 0);
  assert.ok(Date.now() - began < 10_000);
  await held.letGo();
  const next = await rig.spawn();
  assert.equal((await rig.answer(tenant, 1)).record, "StepCompleted");
  await next.stop();
});

const registryProxy = async (host: string, port: number) => {
  const open = new Set<Socket>();
  const server = createServer((inner) => {
    const outer = openSocket({ host, port });
    for (const socket of [inner, outer]) {
      open.add(socket);
      socket.on("error", () => undefined).on("close", () => open.delete(socket));
    }
    inner.pipe(outer).pipe(inner);
  });
  const listen = (at: number): Promise<void> =>
    new Promise((resolve) => server.listen(at, "127.0.0.1", () => resolve()));
  await listen(0);
  const address = server.address();
  const own = typeof address === "object" && address !== null ? address.port : 0;
  return {
    port: own,
    up: () => listen(own),
    down: async () => {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      for (const socket of open) socket.destroy();
      await closed;
    },
  };
};
