/**
 * The process itself ends by SIGKILL at a named point of its way, with 100 sagas in flight; another takes over.
 * Seen to fail: where a take-over does not read the outbox again (what was committed and not sent is lost), and where
 * the offsets are not written with the batch (every request is answered a second time).
 */
import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import { assertBooks } from "../testing/books.ts";
import { startHarness } from "../testing/engine-harness.ts";
import type { Ambush, Orchestrator } from "../testing/orchestrators.ts";
import { failure, success } from "../testing/scripted-worker.ts";
import { stages } from "./stages.ts";

const sagas = 100;
const failing = (slug: string): boolean => slug.startsWith("fails");
// Smaller batches than production's: more crashes in the middle of something.
const settings = { RECORDS_AT_ONCE: "20" };

/** At which occurrence of its stage each ambush strikes, under load. */
const cases: readonly { readonly stage: Ambush["stage"]; readonly nth: number }[] = [
  { stage: "received", nth: 1 },
  { stage: "received", nth: 9 },
  { stage: "written", nth: 8 },
  { stage: "committed", nth: 12 },
  { stage: "publishing", nth: 4 },
  { stage: "published", nth: 5 },
  { stage: "deleted", nth: 4 },
  { stage: "hinted", nth: 1 },
];

const slugsOf = (name: string): string[] =>
  Array.from({ length: sagas }, (_, n) => (n % 10 === 3 ? `fails-${name}-${n}` : `good-${name}-${n}`));

/** An installation, and the one orchestrator that it has at a time. */
const startLane = async () => {
  const harness = await startHarness(after);
  const held = new Set<string>();
  const worker = await harness.worker({
    script: (command) =>
      command.record === "TenantRequested" && failing(command.value.slug) && command.value.step === "backup"
        ? failure(command, true)
        : success(command),
    // Offsets are told to Kafka every five seconds: some of these sagas last as long.
    holdMs: ({ value: { slug, step } }) => (step === "vectors" && held.has(slug) ? 6_000 : 0),
  });
  let current: Orchestrator = await harness.orchestrator({ settings });
  return {
    /** Requests these; with an ambush, waits until the orchestrator fell into it with some of them unfinished. */
    async begin(slugs: readonly string[], ambush?: Ambush): Promise<void> {
      if (ambush !== undefined) current.arm(ambush);
      if (ambush?.stage === "hinted") for (const slug of slugs) held.add(slug);
      await harness.requests(slugs);
      if (ambush === undefined) return;
      assert.equal(await current.exited, "SIGKILL");
      const rows = await harness.sagas(slugs);
      const ended = rows.filter(({ status }) => status === "ready" || status === "closed");
      assert.ok(ended.length < sagas, "every saga had ended before the crash: the case shows nothing");
    },
    async takeOver(ambush?: Ambush): Promise<void> {
      current = await harness.orchestrator({ settings, ...(ambush === undefined ? {} : { ambush }) });
    },
    async finish(slugs: readonly string[]): Promise<void> {
      await harness.until(slugs, ["ready", "closed"]);
      await assertBooks(harness, worker, slugs, failing);
    },
    current: () => current,
    harness,
  };
};

// Most of a case is the dead one's session, in which nobody works: two installations go through their cases at once.
const lanes = [await startLane(), await startLane()] as const;

describe("killed with 100 sagas in flight: each ends once, nothing doubled, nothing lost", {
  concurrency: lanes.length,
}, () => {
  for (const [n, lane] of lanes.entries())
    describe(`installation ${n + 1}`, { concurrency: 1 }, () => {
      for (const [index, { stage, nth }] of cases.entries())
        if (index % lanes.length === n)
          test(`when ${stage} for the ${nth}. time`, async () => {
            const slugs = slugsOf(`c${index}`);
            await lane.begin(slugs, { stage, nth, signal: "SIGKILL" });
            await lane.takeOver();
            await lane.finish(slugs);
          });
    });
});

test("killed in the middle of a batch, and the next one killed as it takes over: the third finishes all", async () => {
  const [lane] = lanes;
  const slugs = slugsOf("third");
  await lane.begin(slugs, { stage: "committed", nth: 6, signal: "SIGKILL" });
  await lane.takeOver({ stage: "taken", nth: 1, signal: "SIGKILL" });
  assert.equal(await lane.current().exited, "SIGKILL");
  await lane.takeOver();
  await lane.finish(slugs);
});

test("every stage of the engine has its case", () => {
  const covered = new Set<string>([...cases.map(({ stage }) => stage), "taken"]);
  assert.deepEqual([...stages].sort(), [...covered].sort());
});

test("stopped by SIGTERM under load: gone within 10 s, and the next one finishes all", async () => {
  const [lane] = lanes;
  const slugs = slugsOf("term");
  await lane.begin(slugs);
  await lane.harness.until(slugs.slice(0, 1), ["running", "compensating", "ready", "closed"]);
  const startMs = Date.now();
  await lane.current().stop();
  assert.equal(await lane.current().exited, 0);
  assert.ok(Date.now() - startMs < 10_000);
  await lane.takeOver();
  await lane.finish(slugs);
});
