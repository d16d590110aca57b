/**
 * What goes out. Seen to fail: rule 04 with the refused producer kept, and with `blocked` never set; the pile without a
 * limit of bytes (and of rows after an error); rule 05 without the second publication, and with it behind what its own
 * transaction changes (the older revision is the last that compaction keeps).
 */
import assert from "node:assert/strict";
import { after, test } from "node:test";
import {
  commandsTopic,
  deadLetterTopic,
  type Message,
  requestsTopic,
  stateTopic,
  topicName,
} from "@deeplens/contracts";
import { assertBooks } from "../testing/books.ts";
import { startHarness } from "../testing/engine-harness.ts";
import { eventually } from "../testing/eventually.ts";
import { failure, success } from "../testing/scripted-worker.ts";

const harness = await startHarness(after);
const { installation, admin, codec } = harness;
const failing = (slug: string): boolean => slug.startsWith("fails");
const worker = await harness.worker({
  script: (command) => {
    if (command.record === "TenantRequested" && command.value.slug.startsWith("patient"))
      return failure(command, false);
    return command.record === "TenantRequested" &&
      failing(command.value.slug) &&
      command.value.step === "backup"
      ? failure(command, true)
      : success(command);
  },
});
const states = await harness.read(stateTopic);
let orchestrator = await harness.orchestrator({ settings: { RECORDS_AT_ONCE: "20" } });

const slugsOf = (name: string, count: number): string[] =>
  Array.from({ length: count }, (_, n) => (n % 10 === 3 ? `fails-${name}-${n}` : `good-${name}-${n}`));

const allow = (bytes: number): Promise<unknown> =>
  admin.alterConfigs({
    validateOnly: false,
    resources: [
      {
        // A topic.
        type: 2,
        name: topicName(installation, commandsTopic("vectors")),
        configEntries: [{ name: "max.message.bytes", value: String(bytes) }],
      },
    ],
  });

test("rule 04: a refused command stops the sender, which says why; it goes on where it was, nothing lost or doubled", async () => {
  await allow(100);
  const slugs = slugsOf("refused", 60);
  await harness.requests(slugs);
  await eventually(async () => {
    const { outbox, ...others } = await orchestrator.wrong();
    assert.match(outbox ?? "ready", /^the outbox is not published from row \d+ on: .*larger than/);
    assert.deepEqual(others, {});
  });
  assert.ok(!worker.seen.some(({ step }) => step === "vectors"));
  await allow(1_048_576);
  await harness.until(slugs, ["ready", "closed"]);
  await assertBooks(harness, worker, slugs, failing);
  assert.deepEqual(await orchestrator.wrong(), {});
  // In the order of their fences, from the first time that each was seen.
  for (const [key, all] of Map.groupBy(worker.seen, ({ slug, step }) => `${slug} ${step}`)) {
    const fences = [...new Set(all.map(({ fence }) => fence))];
    assert.deepEqual(
      fences,
      fences.toSorted((a, b) => a - b),
      key,
    );
  }
});

test("what piled up while nothing went out fits the topic: its records are cut into batches that the broker takes", async () => {
  await orchestrator.stop();
  const letters = await harness.read(deadLetterTopic(requestsTopic));
  await harness.pool.query(
    `INSERT INTO orchestrator.outbox (shard, topic, value, headers)
     SELECT 1, $1, set_byte(decode(repeat('00', 300000), 'hex'), 0, n), '{}' FROM generate_series(1, 12) AS n`,
    [topicName(installation, deadLetterTopic(requestsTopic))],
  );
  orchestrator = await harness.orchestrator({ settings: { RECORDS_AT_ONCE: "20" } });
  await eventually(() => assert.equal(letters.length, 12));
  assert.deepEqual(
    letters.map(({ message }) => message.value?.[0]),
    Array.from({ length: 12 }, (_, n) => n + 1),
  );
  assert.deepEqual(await orchestrator.wrong(), {});
});

/** The records of the state topic by slug, in their order. */
const statesBySlug = async () => {
  const all: Extract<Message, { record: "TenantState" }>["value"][] = [];
  for (const { message } of states) {
    const decoded = await codec.decode(message.value);
    if (decoded.record === "TenantState") all.push(decoded.value);
  }
  return Map.groupBy(all, ({ slug }) => slug);
};

test("rule 05: after a hand-over the lately changed states are published again, and the newest stays the last", async () => {
  const slugs = slugsOf("handed-over", 100);
  const [settled = ""] = slugsOf("refused", 1);
  const before = (await statesBySlug()).get(settled) ?? [];
  orchestrator.arm({ stage: "committed", nth: 8, signal: "SIGKILL" });
  await harness.requests(slugs);
  await orchestrator.exited;
  orchestrator = await harness.orchestrator();
  await harness.until(slugs, ["ready", "closed"]);
  await assertBooks(harness, worker, slugs, failing);
  await eventually(async () => {
    const again = (await statesBySlug()).get(settled) ?? [];
    assert.ok(again.length > before.length, "its state was not published again");
    assert.equal(again.at(-1)?.revision, before.at(-1)?.revision);
  });
  for (const [slug, all] of await statesBySlug()) {
    assert.equal(all.at(-1)?.revision, Math.max(...all.map(({ revision }) => revision)), slug);
    assert.equal(all.at(-1)?.state, failing(slug) ? "rolled-back" : "ready", slug);
  }
});

test("rule 05: what is published again stands before what the same transaction changes", async () => {
  // All that was commanded has failed and waits: an abort has nothing to wait for, and changes the tenant at once.
  const slug = "patient-aborted";
  const settings = { BACK_OFF_MS: "60000", BACK_OFF_MAX_MS: "60000" };
  await orchestrator.stop();
  orchestrator = await harness.orchestrator({ settings });
  await harness.request(slug);
  await eventually(async () => {
    const [saga] = await harness.sagas([slug]);
    const waiting = Object.values(saga?.snapshot.value ?? {}).filter((state) => state === "backingOff");
    assert.equal(waiting.length, 3);
  });
  const { rows } = await harness.pool.query<{ shard: number; sagaId: string; tenantId: string }>(
    `SELECT shard, saga_id AS "sagaId", tenant_id AS "tenantId" FROM orchestrator.sagas WHERE slug = $1`,
    [slug],
  );
  const { shard, ...ids } = rows[0] ?? { shard: 0 };
  await orchestrator.stop();
  // The first transaction of the next one takes this act, and the states that lately changed.
  const act = { kind: "act", act: "abort", ...ids, by: "tests", reason: "to change its state" };
  await harness.pool.query("INSERT INTO orchestrator.inbox (shard, body) VALUES ($1, $2)", [
    shard,
    JSON.stringify(act),
  ]);
  orchestrator = await harness.orchestrator();
  await harness.until([slug], ["closed"]);
  await eventually(async () => {
    const revisions = ((await statesBySlug()).get(slug) ?? []).map(({ revision }) => revision);
    assert.equal(new Set(revisions).size, 3, "its last state is not there yet");
    assert.deepEqual(
      revisions,
      revisions.toSorted((a, b) => a - b),
    );
    assert.ok(
      revisions.filter((revision) => revision === revisions[0]).length > 1,
      "it was not published again",
    );
  });
});
