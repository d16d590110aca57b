import assert from "node:assert/strict";
import { setTimeout as delay } from "node:timers/promises";
import { tracesOf } from "@deeplens/e2e/traces";
import type { Benchmark, Progress } from "./benchmark.ts";
import { wholeNumber } from "./flags.ts";
import {
  type RealInstallation,
  realInstallationFlags,
  realInstallationNotes,
  startRealInstallation,
} from "./real-installation.ts";
import { freshSlugs, missingOf, sagasOf, type TenantSaga } from "./real-tenants.ts";
import { type Measures, quantile } from "./statistics.ts";

/** Many real tenants removed at once, as `tenantctl remove --purge` does, and what any service still has of them. */
export const remove: Benchmark = {
  about: "20 real tenants removed at once, as `remove --purge` does: time, and what is left of them",
  runs: 1,
  flags: {
    tenants: { type: "string", value: "N", default: "20", help: "how many at once" },
    ...realInstallationFlags,
  },
  notes: `Each tenant is whole before: every part was found in its service. purge_p50_ms and purge_ms: from the request to the last
part gone, of half of the tenants and of the last one. second_look_ms: what the look after the settle time takes, which is
SETTLE_MS and not counted. removed: those that ended so. left_behind: what any service, the container engine or the control
database still has of them then, Identity's record aside, which has no delete: kept_in_identity counts those.

${realInstallationNotes}`,
  example: "--json",
  prepare: async (values, progress) => {
    const count = wholeNumber(values, "tenants", 1);
    const real = await startRealInstallation(values, progress);
    return { variants: [{ name: "", run: (say) => benchRemoval(real, count, say) }], end: real.end };
  },
};

const benchRemoval = async (real: RealInstallation, count: number, progress: Progress): Promise<Measures> => {
  const { installation, driver } = real;
  progress(`making ${count} tenants`);
  const slugs = freshSlugs("gone", count);
  await driver.run(slugs);
  const tenants = await sagasOf(installation, slugs);
  const missing: string[] = [];
  for (const tenant of tenants) missing.push(...(await missingOf(installation, tenant)));
  assert.deepEqual(missing, [], "each is whole");

  progress("removing them at once");
  const beganMs = performance.now();
  const sagaIds = await Promise.all(tenants.map((tenant) => removeNow(real, tenant)));
  const purged = await momentsOf(real, sagaIds, ["settling", "verifying", "removed"]);
  const purgeMs = purged.map((atMs) => atMs - beganMs);
  progress(`purged after ${Math.round(Math.max(...purgeMs))} ms; the settle time`);
  const looking = await momentsOf(real, sagaIds, ["verifying", "removed"]);
  const removed = await momentsOf(real, sagaIds, ["removed"]);

  progress("looking for what is left");
  const traces = (await Promise.all(tenants.map((one) => tracesOf(installation, traceable(one))))).flat();
  const kept = traces.filter((trace) => trace.startsWith("identity tenant "));
  const left = traces.filter((trace) => !kept.includes(trace));
  assert.deepEqual(left, []);
  return {
    tenants: count,
    removed: removed.length,
    left_behind: left.length,
    kept_in_identity: kept.length,
    purge_p50_ms: quantile(purgeMs, 0.5),
    purge_ms: Math.max(...purgeMs),
    second_look_ms: Math.max(...removed.map((atMs, index) => atMs - (looking[index] ?? Number.NaN))),
  };
};

const traceable = ({ tenant_id, slug }: TenantSaga) => ({ tenantId: tenant_id, slug });

const removeNow = async ({ installation }: RealInstallation, { tenant_id, slug }: TenantSaga) => {
  const told = { tenantId: tenant_id, reason: "the benchmark of removals", graceMs: 0 };
  const { sagaId } = await installation.api.actOnTenant(slug, "remove", told);
  assert.ok(sagaId !== null, `the removal of ${slug} has begun`);
  return sagaId;
};

const pollMs = 50;
const longestMs = 420_000;

/** When each of these sagas was first seen on one of these courses, by `performance.now()`, in their order. */
const momentsOf = async (
  { installation: { control } }: RealInstallation,
  sagaIds: readonly string[],
  courses: readonly string[],
): Promise<number[]> => {
  const seen = new Map<string, number>();
  for (const endMs = performance.now() + longestMs; seen.size < sagaIds.length; await delay(pollMs)) {
    const { rows } = await control.query<{ id: string; slug: string; course: string; error: unknown }>(
      `SELECT saga_id AS id, slug, snapshot->'value'->>'course' AS course, error
         FROM orchestrator.sagas WHERE saga_id = ANY ($1)`,
      [sagaIds],
    );
    for (const { id, slug, course, error } of rows) {
      assert.ok(!course.startsWith("stuck"), `${slug} is stuck: ${JSON.stringify(error)}`);
      if (courses.includes(course) && !seen.has(id)) seen.set(id, performance.now());
    }
    assert.ok(performance.now() < endMs, `${sagaIds.length - seen.size} are not ${courses.join(" or ")}`);
  }
  return sagaIds.map((id) => seen.get(id) ?? Number.NaN);
};
