/**
 * The log and the database at odds. Seen to fail: rule 03 without the comparison of hashes (a topic that was made again
 * is read on from its middle), without the check of a fetch that nobody asked for, without either comparison with the
 * log's ends; rule 21 with timers that do not mind a stopped partition, with an empty database that reads on, and with
 * fences that only count (an old reply then moves a saga of today).
 */
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { repliesTopic, requestsTopic, shardOf, type Topic, topicName, topicsOf } from "@deeplens/contracts";
import { ensureTopics } from "@deeplens/messaging";
import { assertBooks, assertNothingLeft } from "../testing/books.ts";
import { apiToken, startHarness } from "../testing/engine-harness.ts";
import { eventually } from "../testing/eventually.ts";
import type { Orchestrator } from "../testing/orchestrators.ts";
import { failure, success } from "../testing/scripted-worker.ts";

const harness = await startHarness(after);
const { installation, shards, admin, pool } = harness;
const failing = (slug: string): boolean => slug.startsWith("fails");
const worker = await harness.worker({
  script: (command) =>
    command.record === "TenantRequested" && failing(command.value.slug) && command.value.step === "backup"
      ? failure(command, true)
      : success(command),
});
let current = await harness.orchestrator();

const slugsOf = (name: string, count = 12): string[] =>
  Array.from({ length: count }, (_, n) => (n % 4 === 3 ? `fails-${name}-${n}` : `good-${name}-${n}`));
const slugOn = (shard: number, stem: string): string => {
  for (let n = 0; ; n++) if (shardOf(`${stem}-${n}`, shards) === shard) return `${stem}-${n}`;
};

const run = async (slugs: readonly string[]): Promise<void> => {
  await harness.requests(slugs);
  await harness.until(slugs, ["ready", "closed"]);
  await assertBooks(harness, worker, slugs, failing);
};

const restart = async (meanwhile: () => Promise<void>, settings = {}): Promise<void> => {
  await current.stop();
  await meanwhile();
  current = await harness.orchestrator({ settings, untilReady: false });
};

const recreate = async (topic: Topic): Promise<void> => {
  await admin.deleteTopics({ topics: [topicName(installation, topic)] });
  await eventually(() => ensureTopics(admin, installation, topicsOf(), { shards }));
};

const becomesReady = (orchestrator: Orchestrator): Promise<void> =>
  eventually(async () => assert.deepEqual(await orchestrator.wrong(), {}));

/** It is not ready, and the check `log` says that reason of each of these partitions. */
const saysOf = (orchestrator: Orchestrator, reason: RegExp): Promise<void> =>
  eventually(async () => {
    const { log, ...others } = await orchestrator.wrong();
    assert.match(log ?? "ready", reason);
    assert.deepEqual(others, {});
  });

const positions = async () => {
  const { rows } = await pool.query("SELECT * FROM orchestrator.shards ORDER BY shard");
  return rows;
};

/** Every record of both logs was applied, and what follows from them is out. */
const applied = (): Promise<void> => eventually(() => assertNothingLeft(harness));

const bySlug = async (slugs: readonly string[]) =>
  (await harness.sagas(slugs)).sort((a, b) => (a.slug < b.slug ? -1 : 1));

type Stream = "requests" | "replies";

/** What an operator does about stopped partitions, by the API of whichever orchestrator; nothing is restarted. */
const accept = async (
  stream: Stream,
  which: readonly number[],
  from?: "beginning" | "end",
): Promise<void> => {
  for (const shard of which) {
    const response = await fetch(`${current.apiUrl}/v1/shards/${shard}/accept`, {
      method: "POST",
      headers: { authorization: `Bearer ${apiToken}`, "content-type": "application/json" },
      body: JSON.stringify({ stream, from, reason: "what diverged was settled" }),
    });
    assert.equal(response.status, 200, await response.text());
  }
};

const stopsTold = async (stream: Stream): Promise<number[]> => {
  const response = await fetch(`${current.apiUrl}/v1/shards`, {
    headers: { authorization: `Bearer ${apiToken}` },
  });
  const { items } = (await response.json()) as {
    items: { shard: number; requests: { stopped: string | null }; replies: { stopped: string | null } }[];
  };
  return items.filter((shard) => shard[stream].stopped !== null).map(({ shard }) => shard);
};

test("rule 03: a database behind the log: what was applied since is applied again, and nothing is doubled", async () => {
  const [early, late] = [slugsOf("early"), slugsOf("late")];
  await run(early);
  const then = await positions();
  await run(late);
  const all = [...early, ...late];
  const ready = all.filter((slug) => !failing(slug));
  const sagas = await bySlug(ready);
  const events = harness.lifecycle.length;
  await restart(async () => {
    for (const row of then)
      await pool.query(
        `UPDATE orchestrator.shards SET requests_next = $2, requests_hash = $3, replies_next = $4, replies_hash = $5
          WHERE shard = $1`,
        [row.shard, row.requests_next, row.requests_hash, row.replies_next, row.replies_hash],
      );
  });
  await becomesReady(current);
  await applied();
  // Requests get the answer that they got before, by events of their own; a completion that comes to a tenant which was
  // rolled back is undone again. Nothing is done a second time.
  await harness.until(all, ["ready", "closed"]);
  await applied();
  await eventually(() => assert.equal(harness.lifecycle.length, events + late.length));
  assert.deepEqual(await bySlug(ready), sagas);
  const dones = Map.groupBy(
    worker.seen.filter(({ work }) => work === "do"),
    ({ slug, step }) => `${slug} ${step}`,
  );
  for (const [command, seen] of dones) assert.equal(new Set(seen.map(({ id }) => id)).size, 1, command);
});

test("rule 03: records that were applied may expire; where unread ones did, the partition stops and says why", async () => {
  const expire = async (topic: Topic): Promise<void> => {
    const name = topicName(installation, topic);
    const ends = await admin.fetchTopicOffsets(name);
    await admin.deleteTopicRecords({
      topic: name,
      partitions: ends.map(({ partition, high }) => ({ partition, offset: high })),
    });
  };
  await applied();
  await restart(() => expire(repliesTopic));
  await becomesReady(current);
  await run(slugsOf("behind-expired"));

  await restart(async () => {
    await harness.requests([slugOn(0, "expires-unread")]);
    await expire(requestsTopic);
  });
  await saysOf(current, /^requests\/0: the log begins at \d+.*records expired unread$/);
  // The other shards go on.
  const others = [slugOn(1, "beside-expired"), slugOn(2, "beside-expired")];
  await harness.requests(others);
  await harness.until(others, ["ready"]);
  await eventually(async () => assert.deepEqual(await stopsTold("requests"), [0]));
  await accept("requests", [0]);
  await becomesReady(current);
  await run([slugOn(0, "good-after-expired")]);
  await eventually(async () => assert.deepEqual(await stopsTold("requests"), []));
});

test("rule 03: a stored offset above the log's end stops the partition; rule 21: no timer judges there by silence", async () => {
  const slug = slugOn(0, "unheard");
  const beside = slugOn(1, "heard");
  const then = await positions();
  await restart(
    async () => {
      await pool.query("UPDATE orchestrator.shards SET replies_next = replies_next + 1000 WHERE shard = 0");
    },
    { STEP_ATTEMPTS: "1", WAIT_DEADLINE_MS: "1000" },
  );
  await saysOf(current, /^replies\/0: the log ends at \d+, but \d+ records were applied/);
  await harness.requests([slug, beside]);
  await harness.until([beside], ["ready"]);
  await delay(2_500);
  // Its deadline has passed more than once, and its replies are there, unread: undoing it would be wrong.
  const [unheard] = await harness.sagas([slug]);
  assert.equal(unheard?.status, "running");
  await restart(async () => {
    await pool.query("UPDATE orchestrator.shards SET replies_next = $1 WHERE shard = 0", [
      then[0]?.replies_next,
    ]);
  });
  await becomesReady(current);
  await harness.until([slug], ["ready"]);
});

test("rule 03: a topic made again while no orchestrator ran is not read on as if it were the old one", async () => {
  await run(slugsOf("old-log", 30));
  // At least as long as the old one: only the record itself tells them apart.
  const { rows } = await pool.query("SELECT max(requests_next) FROM orchestrator.shards");
  const first = slugOn(0, "first-of-new");
  await restart(async () => {
    await recreate(requestsTopic);
    await harness.requests([first, slugOn(1, "first-of-new"), slugOn(2, "first-of-new")]);
    const filler = [0, 1, 2].flatMap((shard) =>
      Array.from({ length: Number(rows[0]?.max) }, (_, n) => slugOn(shard, `filler-${n}`)),
    );
    await harness.requests(filler);
  });
  await saysOf(current, /requests\/0: record \d+ is not the one that was applied: the topic was made again/);
  assert.deepEqual(await harness.sagas([first]), []);
  await accept("requests", [0, 1, 2]);
  await harness.until([first], ["ready"], 60_000);
});

test("rule 03: a topic made again under a running orchestrator is noticed: no request is swallowed", async () => {
  await becomesReady(current);
  await recreate(requestsTopic);
  const slugs = [0, 1, 2].map((shard) => slugOn(shard, "under-running"));
  await eventually(() => harness.requests(slugs));
  for (const shard of [0, 1, 2])
    await saysOf(current, new RegExp(`requests/${shard}: [^;]*the topic was made again`));
  assert.deepEqual(await harness.sagas(slugs), []);
  await accept("requests", [0, 1, 2]);
  await harness.until(slugs, ["ready"]);
  await becomesReady(current);
  const { rows } = await pool.query(
    "SELECT DISTINCT actor, action, reason FROM orchestrator.audit WHERE subject = 'requests/2'",
  );
  assert.deepEqual(rows, [{ actor: "api", action: "shard.accept", reason: "what diverged was settled" }]);
});

test("rule 21: an empty database beside the old log stops; accepted, each saga ends once, and no old reply moves it", async () => {
  const [good, fails] = [slugOn(0, "good-anew"), slugOn(1, "fails-anew")];
  await run([good, fails]);
  await applied();
  const seenBefore = worker.seen.length;
  const fencesOf = (slug: string) => worker.seen.filter((one) => one.slug === slug).map(({ fence }) => fence);
  const newestBefore = Math.max(...fencesOf(good), ...fencesOf(fails));
  await restart(async () => {
    await pool.query("DROP SCHEMA orchestrator CASCADE");
  });
  for (const shard of [0, 1, 2])
    await saysOf(current, new RegExp(`requests/${shard}: this database has never read it`));
  assert.deepEqual(await harness.sagas([good, fails]), []);
  assert.equal(worker.seen.length, seenBefore, "something was commanded before an operator agreed");
  await accept("requests", [0, 1, 2]);
  await accept("replies", [0, 1, 2]);
  await harness.until([good, fails], ["ready", "closed"], 60_000);
  await applied();
  await becomesReady(current);
  const { rows } = await pool.query<{ slug: string; moved: number; ends: string[] }>(
    `SELECT s.slug, count(*) FILTER (WHERE h.fence <= $2 AND (h.body -> 'moved')::text <> '{}')::int AS moved,
       array_agg(h.body -> 'moved' -> 'course' ->> 1)
         FILTER (WHERE h.body -> 'moved' -> 'course' ->> 1 IN ('ready', 'closed')) AS ends
       FROM orchestrator.sagas s JOIN orchestrator.history h USING (saga_id) WHERE s.slug = ANY ($1)
      GROUP BY s.slug ORDER BY s.slug`,
    [[good, fails], newestBefore],
  );
  assert.deepEqual(rows, [
    { slug: fails, moved: 0, ends: ["closed"] },
    { slug: good, moved: 0, ends: ["ready"] },
  ]);
  const stale = await pool.query<{ count: number }>(
    "SELECT count(*)::int AS count FROM orchestrator.history WHERE event LIKE '%(stale)' AND fence <= $1",
    [newestBefore],
  );
  assert.ok((stale.rows[0]?.count ?? 0) > 0, "the old replies were never read");
});
