/** Seen to fail: with one cursor for the whole queue, without the bound on what waits, without the second seek. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Codec, EachBatchPayload, KafkaMessage } from "@deeplens/messaging";
import { createLogger } from "@deeplens/telemetry";
import { createIntake } from "./intake.ts";
import type { Ownership, Reading } from "./ownership.ts";
import { recordHash } from "./positions.ts";

const messageAt = (offset: number): KafkaMessage =>
  ({
    key: null,
    value: Buffer.from(`record ${offset}`),
    headers: {},
    offset: String(offset),
  }) as KafkaMessage;

const scene = (reading: Reading) => {
  let current: Reading = reading;
  const seeks: number[] = [];
  const checks: number[] = [];
  const ownership = {
    settled: async () => undefined,
    reading: () => current,
    setReading: (_stream: string, _shard: number, next: Reading) => {
      current = next;
    },
    stopReading: (_stream: string, _shard: number, reason: string) => {
      current = { state: "stopped", reason };
    },
    seekAgain: (_stream: string, _shard: number, at: number) => seeks.push(at),
    check: async () => void checks.push(1),
  } as unknown as Ownership;
  const decode: { now: Codec["decode"] } = {
    now: async () => ({ record: "StepProgressed", value: {} }) as never,
  };
  const intake = createIntake({
    streamOf: () => "replies",
    ownership,
    codec: { decode: (bytes) => decode.now(bytes) },
    log: createLogger("tests", "silent"),
    onArrival: () => undefined,
  });
  const resolved: number[] = [];
  const paused: number[] = [];
  const fetch = (fetchedOffset: number, offsets: readonly number[], partition = 0): Promise<void> =>
    intake.eachBatch({
      batch: {
        topic: "replies",
        partition,
        fetchedOffset: String(fetchedOffset),
        messages: offsets.map(messageAt),
      },
      heartbeat: async () => undefined,
      isRunning: () => true,
      isStale: () => false,
      resolveOffset: (offset: string) => resolved.push(Number(offset)),
      pause: () => {
        paused.push(partition);
        return () => undefined;
      },
    } as unknown as EachBatchPayload);
  const offsetsOf = (limit: number) => intake.take(limit).records.map(({ offset }) => offset);
  return { intake, fetch, offsetsOf, resolved, paused, seeks, checks, decode, reading: () => current };
};

const settle = (): Promise<void> => new Promise((resolve) => setImmediate(() => setImmediate(resolve)));

test("rule 02: a batch is cut at the limit, in order, and taken again until it was committed", async () => {
  const { intake, fetch, offsetsOf } = scene({ state: "reading", next: 0 });
  await fetch(0, [0, 1, 2, 3, 4]);
  assert.deepEqual(offsetsOf(2), [0, 1]);
  // Not committed: the same again.
  const first = intake.take(2);
  assert.deepEqual(
    first.records.map(({ offset }) => offset),
    [0, 1],
  );
  assert.deepEqual([...first.left], [0], "more of the shard waits");
  first.committed();
  const second = intake.take(10);
  assert.deepEqual(
    second.records.map(({ offset }) => offset),
    [2, 3, 4],
  );
  assert.equal(second.left.size, 0);
  second.committed();
  assert.deepEqual(offsetsOf(10), []);
});

test("the client fetches on while records wait, until too many do", async () => {
  const { intake, fetch, resolved } = scene({ state: "reading", next: 0 });
  await fetch(0, [0, 1]);
  assert.deepEqual(resolved, [1]);
  const many = Array.from({ length: 2_000 }, (_, index) => 2 + index);
  let fetchedOn = false;
  const full = fetch(2, many).then(() => {
    fetchedOn = true;
  });
  await settle();
  assert.equal(fetchedOn, false);
  intake.take(10).committed();
  await full;
});

test("a commit that comes after its fetch was dropped does not move the cursor of what was fetched anew", async () => {
  const { intake, fetch, offsetsOf, reading } = scene({ state: "reading", next: 0 });
  await fetch(0, [0, 1, 2]);
  const late = intake.take(2);
  intake.drop();
  assert.equal(reading().state, "reading");
  void fetch(3, [3, 4, 5]);
  await settle();
  late.committed();
  assert.deepEqual(offsetsOf(10), [3, 4, 5]);
});

test("rule 03: what arrives from another place than was asked for is not applied, and the seek is asked for again", async () => {
  const { fetch, offsetsOf, resolved, seeks } = scene({ state: "seeking", at: 5 });
  await fetch(0, [0, 1]);
  await fetch(7, [7]);
  assert.deepEqual(offsetsOf(10), []);
  assert.deepEqual(resolved, []);
  assert.deepEqual(seeks, [5, 5]);
});

test("rule 03: the record that was applied last is compared and passed over; another one stops the partition", async () => {
  const good = scene({ state: "seeking", at: 5, hash: recordHash(messageAt(5)) });
  void good.fetch(5, [5, 6, 7]);
  await settle();
  assert.deepEqual(good.offsetsOf(10), [6, 7]);

  const alone = scene({ state: "seeking", at: 5, hash: recordHash(messageAt(5)) });
  await alone.fetch(5, [5]);
  assert.deepEqual(alone.resolved, [5]);
  assert.deepEqual(alone.reading(), { state: "reading", next: 6 });

  const bad = scene({ state: "seeking", at: 5, hash: recordHash(messageAt(4)) });
  await bad.fetch(5, [5, 6]);
  assert.deepEqual(bad.offsetsOf(10), []);
  assert.deepEqual(bad.resolved, []);
  assert.equal(bad.reading().state, "stopped");
});

test("rule 03: a fetch above or below the next record, which no seek asked for, is checked as on assignment", async () => {
  for (const from of [0, 4, 6, 9]) {
    const { fetch, offsetsOf, checks } = scene({ state: "reading", next: 5 });
    await fetch(from, [from]);
    assert.deepEqual(offsetsOf(10), []);
    assert.equal(checks.length, 1);
  }
});

test("rule 08: where the registry does not answer the partition pauses behind what was decoded", async () => {
  const { intake, fetch, paused, resolved, decode, reading } = scene({ state: "reading", next: 0 });
  const decoded = decode.now;
  decode.now = async (bytes) => {
    if (bytes?.toString() === "record 2") throw Object.assign(new Error("ECONNREFUSED"), { status: 400 });
    return decoded(bytes);
  };
  const part = fetch(0, [0, 1, 2, 3]);
  await settle();
  const { records, committed } = intake.take(10);
  assert.deepEqual(
    records.map(({ offset }) => offset),
    [0, 1],
  );
  committed();
  await part;
  assert.deepEqual(paused, [0]);
  assert.deepEqual(resolved, [1]);
  assert.deepEqual(reading(), { state: "reading", next: 2 });
  await fetch(2, [2, 3]);
  assert.deepEqual(resolved, [1, 1]);
  assert.deepEqual(paused, [0, 0]);
});

test("rule 01: what was decoded while the shards were taken over again is left to the new reading", async () => {
  const { intake, fetch, decode, offsetsOf, resolved } = scene({ state: "reading", next: 0 });
  const decoded = decode.now;
  const gate = Promise.withResolvers<void>();
  decode.now = async (bytes) => {
    await gate.promise;
    return decoded(bytes);
  };
  const overtaken = fetch(0, [0, 1]);
  await settle();
  intake.close();
  gate.resolve();
  await overtaken;
  assert.deepEqual(offsetsOf(10), []);
  assert.deepEqual(resolved, []);
});
