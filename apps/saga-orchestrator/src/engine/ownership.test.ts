import assert from "node:assert/strict";
import { test } from "node:test";
import { createLogger } from "@deeplens/telemetry";
import { createOwnership } from "./ownership.ts";
import type { LogEnds } from "./positions.ts";

const ownershipOf = (ends: LogEnds, repliesNext: number) =>
  createOwnership({
    topics: { requests: "requests", replies: "replies" },
    consumer: { seek: () => undefined, pause: () => undefined, resume: () => undefined },
    logEnds: async (topic) => new Map([[0, topic === "replies" ? ends : { low: 0, high: 0 }]]),
    takeShards: async () => [
      {
        ...{ shard: 0, epoch: 1 },
        positions: { requests: { next: 0, hash: null }, replies: { next: repliesNext, hash: "the last" } },
      },
    ],
    beginShards: async () => undefined,
    readShards: async () => [],
    onTaken: () => undefined,
    log: createLogger("tests", "silent"),
  });

// Seen to fail with timers that fire while the seek is under way: a database of yesterday then undoes tenants of today.
test("rule 21: no timer judges before the log was seen to be the one that was applied", async () => {
  const ownership = ownershipOf({ low: 0, high: 5 }, 5);
  await ownership.take([0]);
  assert.equal(ownership.blind(0), true);
  ownership.setReading("replies", 0, { state: "reading", next: 5 });
  assert.equal(ownership.blind(0), false);
});

// Seen to fail likewise: after an hour without an orchestrator every deadline passes before its reply is read.
test("no deadline passes for a reply that waited for an orchestrator", async () => {
  const ownership = ownershipOf({ low: 0, high: 9 }, 5);
  await ownership.take([0]);
  ownership.setReading("replies", 0, { state: "reading", next: 5 });
  assert.equal(ownership.blind(0), true);
  ownership.setReading("replies", 0, { state: "reading", next: 9 });
  assert.equal(ownership.blind(0), false);
});

test("a partition without records waits for nothing", async () => {
  const ownership = ownershipOf({ low: 5, high: 5 }, 5);
  await ownership.take([0]);
  assert.equal(ownership.blind(0), false);
});
