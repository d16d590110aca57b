import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { test } from "node:test";
import type { Slug, TenantId } from "@deeplens/contracts";
import type { Arrival, Asked, Finished, PartStore, StoredReply } from "./part-store.ts";

/** The step rows as several processes see them. */
export interface PartsRig {
  /** Another process. */
  process(): Promise<{ store: PartStore; die(): Promise<void> }>;
}

/** What step rows do, with their locks; binds those in memory and those on Postgres. The longest call takes 0 ms. */
export const partsSuite = (kind: string, rig: PartsRig): void => {
  const tenantId = randomUUID() as TenantId;
  const newSlug = (): Slug => `s-${randomUUID()}` as Slug;
  const asked = (slug: Slug, fence: number, options: Partial<Asked> = {}): Asked => ({
    ...{ slug, tenantId, fence, undoes: false, held: false },
    endsInMs: 60_000,
    ...options,
  });
  const replyTo = (fence: number): StoredReply => ({
    record: "StepCompleted",
    bytes: Buffer.from([0, fence, 255]),
    headers: { ce_id: `"${fence}"` },
  });
  const finished = (slug: Slug, fence: number, options: Partial<Finished> = {}): Finished => ({
    ...{ slug, tenantId, fence, undoes: false, release: true },
    reply: replyTo(fence),
    ...options,
  });
  const arrive = async (store: PartStore, ask: Asked): Promise<Arrival | undefined> =>
    (await store.arrive([ask])).get(ask.slug);

  test(`${kind}: rule 11: older is refused, equal and done is answered, equal and not done is taken again`, async (t) => {
    const { store, die } = await rig.process();
    t.after(die);
    const slug = newSlug();
    assert.deepEqual(await arrive(store, asked(slug, 5)), { outcome: "locked" });
    assert.deepEqual(await arrive(store, asked(slug, 4, { held: true })), { outcome: "refused" });
    assert.deepEqual(await arrive(store, asked(slug, 5, { held: true })), { outcome: "locked" });
    await store.finish([finished(slug, 5)]);
    assert.deepEqual(await arrive(store, asked(slug, 5)), { outcome: "done", reply: replyTo(5) });
    assert.deepEqual(await arrive(store, asked(slug, 4)), { outcome: "refused" });
    assert.deepEqual(await arrive(store, asked(slug, 6)), { outcome: "locked" });
  });

  test(`${kind}: rule 11: one statement answers each command of a fetch`, async (t) => {
    const { store, die } = await rig.process();
    t.after(die);
    const slugs = Array.from({ length: 50 }, newSlug);
    await store.arrive(slugs.map((slug) => asked(slug, 2)));
    await store.finish(slugs.slice(0, 20).map((slug) => finished(slug, 2)));
    const again = await store.arrive(
      slugs.map((slug, index) =>
        asked(slug, index % 2 === 0 ? 2 : 1, { held: index >= 20, undoes: index === 7 }),
      ),
    );
    assert.deepEqual(
      slugs.map((slug) => again.get(slug)?.outcome),
      slugs.map((_, index) => (index % 2 === 1 ? "refused" : index < 20 ? "done" : "locked")),
    );
  });

  test(`${kind}: rule 11: what was done for an older command is not written over a newer one`, async (t) => {
    const [one, two] = [await rig.process(), await rig.process()];
    t.after(() => Promise.all([one.die(), two.die()]));
    const slug = newSlug();
    await one.store.arrive([asked(slug, 1)]);
    assert.equal((await arrive(two.store, asked(slug, 2)))?.outcome, "busy");
    await one.store.finish([finished(slug, 1)]);
    assert.deepEqual(await arrive(two.store, asked(slug, 2)), { outcome: "locked" });
  });

  test(`${kind}: rule 13: a part that another process has is busy until it is given back`, async (t) => {
    const [one, two] = [await rig.process(), await rig.process()];
    t.after(() => Promise.all([one.die(), two.die()]));
    const slug = newSlug();
    await one.store.arrive([asked(slug, 1)]);
    const same = { outcome: "busy", sameCommand: true, overdue: false };
    assert.deepEqual(await arrive(two.store, asked(slug, 1)), same);
    assert.deepEqual(await arrive(two.store, asked(slug, 2)), { ...same, sameCommand: false });
    // The other one heard of the newer command as well and keeps the lock for it.
    assert.deepEqual(await arrive(one.store, asked(slug, 2, { held: true })), { outcome: "locked" });
    await one.store.finish([finished(slug, 1, { release: false })]);
    assert.deepEqual(await arrive(two.store, asked(slug, 2)), same);
    await one.store.finish([finished(slug, 2, { reply: undefined })]);
    assert.deepEqual(await arrive(two.store, asked(slug, 2)), { outcome: "locked" });
  });

  test(`${kind}: rule 13: a refused or answered command leaves no lock behind`, async (t) => {
    const [one, two] = [await rig.process(), await rig.process()];
    t.after(() => Promise.all([one.die(), two.die()]));
    const slug = newSlug();
    await one.store.arrive([asked(slug, 2)]);
    await one.store.finish([finished(slug, 2)]);
    await one.store.arrive([asked(slug, 1)]);
    await one.store.arrive([asked(slug, 2)]);
    assert.deepEqual(await arrive(two.store, asked(slug, 3)), { outcome: "locked" });
  });

  test(`${kind}: rule 13: what a process held is free when it died`, async (t) => {
    const [one, two] = [await rig.process(), await rig.process()];
    t.after(two.die);
    const slug = newSlug();
    await one.store.arrive([asked(slug, 1)]);
    await one.die();
    assert.deepEqual(await arrive(two.store, asked(slug, 1)), { outcome: "locked" });
  });

  test(`${kind}: rule 13: a holder past its deadline is overdue, and its session can be ended`, async (t) => {
    const [one, two] = [await rig.process(), await rig.process()];
    t.after(() => Promise.all([one.die(), two.die()]));
    const slug = newSlug();
    await one.store.arrive([asked(slug, 1, { endsInMs: -1_000 })]);
    const overdue = { outcome: "busy", sameCommand: false, overdue: true };
    assert.deepEqual(await arrive(two.store, asked(slug, 2, { undoes: true })), overdue);
    assert.match((await two.store.holderOf(slug)) ?? "", /^[^/]+\/\d+\/[\w-]+$/);
    assert.equal(await two.store.endHolder(slug), true);
    for (let tries = 0; (await arrive(two.store, asked(slug, 2)))?.outcome !== "locked"; tries++)
      assert.ok(tries < 100);
    assert.equal(await two.store.endHolder(slug), false);
  });
};
