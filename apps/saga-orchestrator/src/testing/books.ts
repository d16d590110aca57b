import assert from "node:assert/strict";
import { repliesTopic, requestsTopic, type Topic, topicName } from "@deeplens/contracts";
import type { Harness } from "./engine-harness.ts";
import { eventually } from "./eventually.ts";
import type { ScriptedWorker, SeenCommand } from "./scripted-worker.ts";

/**
 * Holds after every crash: each of these sagas ended, once; nothing was doubled, nothing was lost. `failing` are those
 * that were planned to fail. Waits until what is still under way is through.
 */
export const assertBooks = async (
  harness: Harness,
  worker: ScriptedWorker,
  slugs: readonly string[],
  failing: (slug: string) => boolean,
): Promise<void> => {
  await eventually(() => assertNothingLeft(harness));
  await eventually(async () => assertLifecycle(harness, slugs, failing));
  await assertSagas(harness, slugs, failing);
  assertCommands(worker.seen, slugs, failing, await undoneAgain(harness, slugs));
};

/** Steps that a late completion had undone once more (rule 06), as `<slug> <step>`. */
const undoneAgain = async ({ pool }: Harness, slugs: readonly string[]): Promise<ReadonlySet<string>> => {
  const { rows } = await pool.query<{ part: string }>(
    `SELECT DISTINCT s.slug || ' ' || h.step AS part FROM orchestrator.sagas s JOIN orchestrator.history h USING (saga_id)
      WHERE s.slug = ANY ($1) AND h.event = 'StepCompleted (late)'`,
    [slugs],
  );
  return new Set(rows.map(({ part }) => part));
};

// One kind of end each. Closed may come twice: a deposed sender's command that comes late is answered by the scripted
// worker, which has no fences, and such a late completion is undone and settles again (rule 06).
const assertSagas = async (
  { pool }: Harness,
  slugs: readonly string[],
  failing: (slug: string) => boolean,
): Promise<void> => {
  const { rows } = await pool.query<{ slug: string; status: string; requested: number; ended: number }>(
    `SELECT s.slug, s.status, count(h) FILTER (WHERE h.event = 'requested')::int AS requested,
       count(DISTINCT h.body -> 'moved' -> 'course' ->> 1)
         FILTER (WHERE h.body -> 'moved' -> 'course' ->> 1 IN ('ready', 'closed'))::int AS ended
       FROM orchestrator.sagas s JOIN orchestrator.history h USING (saga_id)
      WHERE s.slug = ANY ($1) GROUP BY s.saga_id`,
    [slugs],
  );
  assert.deepEqual(
    rows.sort((a, b) => (a.slug < b.slug ? -1 : 1)),
    [...slugs].sort().map((slug) => ({
      slug,
      status: failing(slug) ? "closed" : "ready",
      requested: 1,
      ended: 1,
    })),
  );
};

/** Nothing waits to be published, and every record of both topics was applied. */
export const assertNothingLeft = async ({ pool, admin, installation }: Harness): Promise<void> => {
  const { rows: outbox } = await pool.query("SELECT id, topic FROM orchestrator.outbox LIMIT 5");
  assert.deepEqual(outbox, [], "the outbox is not empty");
  const { rows: positions } = await pool.query<{ shard: number; requests: number; replies: number }>(
    `SELECT shard, coalesce(requests_next, 0) AS requests, coalesce(replies_next, 0) AS replies
       FROM orchestrator.shards ORDER BY shard`,
  );
  const endsOf = async (topic: Topic): Promise<Map<number, number>> => {
    const offsets = await admin.fetchTopicOffsets(topicName(installation, topic));
    return new Map(offsets.map(({ partition, high }) => [partition, Number(high)]));
  };
  const [requests, replies] = await Promise.all([endsOf(requestsTopic), endsOf(repliesTopic)]);
  assert.deepEqual(
    positions,
    positions.map(({ shard }) => ({ shard, requests: requests.get(shard), replies: replies.get(shard) })),
    "the stored positions are not the logs' ends",
  );
};

const assertLifecycle = (
  { lifecycle }: Harness,
  slugs: readonly string[],
  failing: (slug: string) => boolean,
): void => {
  const bySlug = Map.groupBy(lifecycle, ({ slug }) => slug);
  for (const slug of slugs) {
    const events = bySlug.get(slug) ?? [];
    assert.deepEqual(
      [...new Map(events.map(({ id, record }) => [id, record])).values()],
      [failing(slug) ? "TenantProvisioningFailed" : "TenantProvisioned"],
      `lifecycle events of ${slug}: ${JSON.stringify(events)}`,
    );
  }
};

/** A command has one fence and one id, however often it was published; but for what was undone again. */
const assertCommands = (
  seen: readonly SeenCommand[],
  slugs: readonly string[],
  failing: (slug: string) => boolean,
  again: ReadonlySet<string>,
): void => {
  const wanted = new Set(slugs);
  const mine = seen.filter(({ slug }) => wanted.has(slug));
  const commands = Map.groupBy(mine, ({ slug, step, work }) => `${slug} ${step} ${work}`);
  for (const [command, all] of commands) {
    const [slug, step, work] = command.split(" ");
    if (work !== "do" && again.has(`${slug} ${step}`)) continue;
    assert.equal(new Set(all.map(({ fence }) => fence)).size, 1, `${command} was given more than one fence`);
    assert.equal(new Set(all.map(({ id }) => id)).size, 1, `${command} is more than one message`);
  }
  for (const [key, all] of Map.groupBy(mine, ({ slug, fence }) => `${slug} ${fence}`))
    assert.equal(new Set(all.map(({ id }) => id)).size, 1, `fence ${key} was used twice`);
  const steps = ["database", "storage", "vectors", "backup"];
  for (const slug of slugs) {
    const expected = failing(slug)
      ? steps.flatMap((step) => ["do", "compensate", "second-look"].map((work) => `${slug} ${step} ${work}`))
      : [...steps, "identity"].map((step) => `${slug} ${step} do`);
    const got = [...commands.keys()].filter((command) => command.startsWith(`${slug} `));
    assert.deepEqual(got.sort(), expected.sort());
  }
};
