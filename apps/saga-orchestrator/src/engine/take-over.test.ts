/**
 * Seen to fail: with a strange log read as if it were new, and with an accepted partition left paused; with `lose` that does not look whose epochs were lost, without the resume, without takeAgain.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { createLogger } from "@deeplens/telemetry";
import type { ShardRow } from "../store/shard-rows.ts";
import { createOwnership } from "./ownership.ts";
import type { LogEnds } from "./positions.ts";

const scene = () => {
  const calls: string[] = [];
  const rows = new Map<number, ShardRow>();
  const ends: Record<string, LogEnds> = {};
  let epoch = 0;
  const gates: { take: Promise<void> } = { take: Promise.resolve() };
  const rowOf = (shard: number): ShardRow =>
    rows.get(shard) ?? { shard, positions: { requests: undefined, replies: undefined } };
  const place = ({ topic, partitions }: { topic: string; partitions?: number[] }): string =>
    `${topic}/${partitions?.join(",")}`;
  const ownership = createOwnership({
    topics: { requests: "requests", replies: "replies" },
    consumer: {
      seek: ({ topic, partition, offset }) => void calls.push(`seek ${topic}/${partition} ${offset}`),
      pause: (all) => void calls.push(...all.map((one) => `pause ${place(one)}`)),
      resume: (all) => void calls.push(...all.map((one) => `resume ${place(one)}`)),
    },
    logEnds: async (topic) =>
      new Map([0, 1].map((shard) => [shard, ends[`${topic}/${shard}`] ?? { low: 0, high: 0 }])),
    takeShards: async (shards) => {
      await gates.take;
      epoch += 1;
      return shards.map((shard) => ({ ...rowOf(shard), epoch }));
    },
    beginShards: async (begun) => void calls.push(...begun.map(({ shard }) => `begin ${shard}`)),
    readShards: async (shards) => shards.map(rowOf),
    onTaken: (shards) => void calls.push(`taken ${shards}`),
    log: createLogger("tests", "silent"),
  });
  return { ownership, calls, rows, ends, gates };
};

test("rule 01: shards are ours from when they were taken over, each with its epoch", async () => {
  const { ownership, calls, gates } = scene();
  const gate = Promise.withResolvers<void>();
  gates.take = gate.promise;
  const taking = ownership.take([0, 1]);
  assert.equal(ownership.epochs().size, 0);
  gate.resolve();
  await taking;
  assert.deepEqual(
    [...ownership.epochs()],
    [
      [0, 1],
      [1, 1],
    ],
  );
  assert.ok(calls.includes("taken 0,1"));
});

test("rule 01: a transaction that our own take-over overtook does not undo it", async () => {
  const { ownership } = scene();
  await ownership.take([0]);
  const seen = ownership.epochs();
  const taking = ownership.take([0, 1]);
  ownership.lose(seen);
  assert.equal(ownership.lost(), false);
  await taking;
  assert.equal(ownership.epochs().size, 2);
});

test("rule 01: shards that were lost are taken again while the assignment is still ours", async () => {
  const { ownership } = scene();
  await ownership.take([0, 1]);
  ownership.lose(ownership.epochs());
  assert.equal(ownership.lost(), true);
  assert.equal(ownership.epochs().size, 0);
  await ownership.takeAgain();
  assert.equal(ownership.lost(), false);
  assert.deepEqual([...ownership.epochs().keys()], [0, 1]);
  await ownership.takeAgain();
  assert.deepEqual([...ownership.epochs().values()], [2, 2], "what was not lost is not taken again");
});

test("rule 01: of two take-overs at once the later one counts", async () => {
  const { ownership, gates } = scene();
  const gate = Promise.withResolvers<void>();
  gates.take = gate.promise;
  const first = ownership.take([0, 1]);
  const second = ownership.take([1]);
  gate.resolve();
  await Promise.all([first, second]);
  assert.deepEqual([...ownership.epochs().keys()], [1]);
});

test("rule 03: a stopped partition is paused and named, and its shard is blind; what is whole again is resumed", async () => {
  const { ownership, calls, rows, ends } = scene();
  rows.set(0, {
    shard: 0,
    positions: { requests: { next: 0, hash: null }, replies: { next: 9, hash: "h" } },
  });
  await ownership.take([0, 1]);
  assert.match(ownership.stopped()["replies/0"] ?? "", /ends at 0, but 9 records/);
  assert.deepEqual([ownership.blind(0), ownership.blind(1)], [true, false]);
  assert.ok(calls.includes("pause replies/0"));
  ends["replies/0"] = { low: 0, high: 12 };
  calls.length = 0;
  await ownership.take([0, 1]);
  assert.deepEqual(ownership.stopped(), {});
  assert.ok(calls.includes("resume replies/0"));
  assert.ok(calls.includes("seek replies/0 8"));
  assert.deepEqual(ownership.reading("replies", 0), { state: "seeking", at: 8, hash: "h" });
});

test("a check that a rebalance overtook leaves the new assignment's reading alone", async () => {
  const { ownership, rows, ends } = scene();
  ends["requests/0"] = { low: 0, high: 50 };
  await ownership.take([0]);
  const checking = ownership.check("requests", 0);
  rows.set(0, { shard: 0, positions: { requests: { next: 40, hash: "h" }, replies: undefined } });
  await ownership.take([0]);
  await checking;
  assert.deepEqual(ownership.reading("requests", 0), { state: "seeking", at: 39, hash: "h" });
  await ownership.take([]);
  await ownership.check("requests", 0);
});

test("rule 21: a database that never read a log with replies in it stops, both streams; a new installation begins", async () => {
  const { ownership, calls, ends } = scene();
  ends["replies/0"] = { low: 3, high: 9 };
  await ownership.take([0, 1]);
  assert.match(ownership.stopped()["requests/0"] ?? "", /never read it, .* replies has had 9/);
  assert.match(ownership.stopped()["replies/0"] ?? "", /never read it/);
  assert.deepEqual([ownership.blind(0), ownership.blind(1)], [true, false]);
  assert.deepEqual(
    calls.filter((call) => call.startsWith("begin")),
    ["begin 1"],
  );
});

test("what was begun stays this database's, though no reply was applied when the next one takes it over", async () => {
  const { ownership, rows, ends } = scene();
  rows.set(0, {
    shard: 0,
    positions: { requests: { next: 0, hash: null }, replies: { next: 0, hash: null } },
  });
  ends["replies/0"] = { low: 0, high: 9 };
  await ownership.take([0]);
  assert.deepEqual(ownership.stopped(), {});
  assert.deepEqual(ownership.reading("replies", 0), { state: "seeking", at: 0 });
});

test("a partition whose position was given up is read on without another take-over", async () => {
  const { ownership, calls, rows, ends } = scene();
  const replies = { next: 0, hash: null };
  rows.set(0, { shard: 0, positions: { requests: { next: 9, hash: "h" }, replies } });
  ends["requests/0"] = { low: 2, high: 4 };
  await ownership.take([0]);
  assert.deepEqual(ownership.stoppedAt("requests", 0), { beginning: 0, end: 4 });
  assert.equal(ownership.stoppedAt("replies", 0), undefined);
  await ownership.check("requests", 0);
  assert.ok("requests/0" in ownership.stopped(), "it stops again where nothing was given up");
  rows.set(0, { shard: 0, positions: { requests: { next: 4, hash: null }, replies } });
  calls.length = 0;
  await ownership.check("requests", 0);
  assert.deepEqual(calls, ["seek requests/0 4", "resume requests/0"]);
  rows.set(0, { shard: 0, positions: { requests: { next: 0, hash: null }, replies } });
  await ownership.check("requests", 0);
  assert.deepEqual(ownership.reading("requests", 0), { state: "seeking", at: 2 });
});
