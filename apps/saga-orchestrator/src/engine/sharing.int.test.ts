/**
 * Two orchestrators. Seen to fail with the epoch's comparison taken out of write-batch and read_batch: the one that comes
 * back commits its late batch.
 */
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { assertBooks } from "../testing/books.ts";
import { startHarness } from "../testing/engine-harness.ts";
import { eventually } from "../testing/eventually.ts";
import type { Orchestrator } from "../testing/orchestrators.ts";
import { failure, success } from "../testing/scripted-worker.ts";

const settings = { RECORDS_AT_ONCE: "20", LOG_LEVEL: "debug" };
const failing = (slug: string): boolean => slug.startsWith("fails");
const harness = await startHarness(after);
const worker = await harness.worker({
  script: (command) =>
    command.record === "TenantRequested" && failing(command.value.slug) && command.value.step === "backup"
      ? failure(command, true)
      : success(command),
});

const slugsOf = (name: string, count = 100): string[] =>
  Array.from({ length: count }, (_, n) => (n % 10 === 3 ? `fails-${name}-${n}` : `good-${name}-${n}`));

const finish = async (slugs: readonly string[]): Promise<void> => {
  await harness.until(slugs, ["ready", "closed"]);
  await assertBooks(harness, worker, slugs, failing);
};

/** The shards that it took over last, by its own log. */
const shardsOf = (orchestrator: Orchestrator): number[] => {
  const [last = "[]"] = [...orchestrator.logText().matchAll(/"shards":(\[[\d,]*\]),"msg":"shards taken/g)]
    .map(([, shards]) => shards)
    .slice(-1);
  return JSON.parse(last);
};

/** What it logged from then on; what it wrote before it stood still may reach us later. */
const linesSince = (orchestrator: Orchestrator, moment: string): string =>
  orchestrator
    .logText()
    .split("\n")
    .filter((line) => (/"time":"([^"]+)"/.exec(line)?.[1] ?? "") >= moment)
    .join("\n");

const share = (...orchestrators: readonly Orchestrator[]): Promise<void> =>
  eventually(() => {
    const all = orchestrators.map(shardsOf);
    assert.deepEqual(all.flat().sort(), [0, 1, 2]);
    assert.ok(all.every((shards) => shards.length > 0));
  });

let first = await harness.orchestrator({ settings });

test("rule 01: a second orchestrator joins and leaves in the middle of batches: each saga ends once", async () => {
  const slugs = slugsOf("joins", 300);
  await harness.requests(slugs.slice(0, 100));
  const second = await harness.orchestrator({ settings, untilReady: false });
  for (let n = 100; n < 200; n += 10) {
    await harness.requests(slugs.slice(n, n + 10));
    await delay(200);
  }
  await share(first, second);
  await harness.requests(slugs.slice(200));
  await second.stop();
  await finish(slugs);
});

test("rule 01: two orchestrators share the shards, both work, and each saga ends once", async () => {
  const second = await harness.orchestrator({ settings });
  await share(first, second);
  const slugs = slugsOf("shared");
  await harness.requests(slugs);
  await finish(slugs);
  // Nobody wrote for a shard that was not its own: every answer came at the first try.
  for (const one of [first, second]) assert.doesNotMatch(one.logText(), /shards lost/);
  await second.stop();
});

// A transaction is one statement. What was on its way when its process stood still was committed then, before anybody
// could take the shards over, or not at all; only its answer is read late.
for (const [stage, meaning, answersReadLate] of [
  ["received", "before its transaction", 0],
  ["written", "with its transaction on its way", 1],
] as const)
  test(`rule 01: one that stood still ${meaning} past its session writes nothing when it goes on`, async () => {
    const slugs = slugsOf(`frozen-${stage}`);
    first.arm({ stage, nth: 6, signal: "SIGSTOP" });
    await harness.requests(slugs);
    await first.frozen();
    const second = await harness.orchestrator({ settings });
    await finish(slugs);
    const thawed = new Date().toISOString();
    first.process.kill("SIGCONT");
    // Back in its group, with shards of its own again.
    await share(first, second);
    const [late = ""] = linesSince(first, thawed).split('"stage":"taken"');
    assert.ok([...late.matchAll(/"stage":"committed"/g)].length <= answersReadLate, late);
    // Where nothing of its own was still to be written, it may join its group again before it could lose anything.
    if (answersReadLate === 0) assert.match(late, /belongs to another orchestrator by now|connection/i);
    const more = slugsOf(`thawed-${stage}`, 30);
    await harness.requests(more);
    await finish([...slugs, ...more]);
    await first.stop();
    first = second;
  });
