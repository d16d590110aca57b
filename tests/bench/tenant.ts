import assert from "node:assert/strict";
import { provisioning } from "@deeplens/saga-orchestrator/saga-kind";
import type { Benchmark } from "./benchmark.ts";
import { criticalPath } from "./critical-path.ts";
import {
  type RealInstallation,
  realInstallationFlags,
  realInstallationNotes,
  startRealInstallation,
} from "./real-installation.ts";
import { freshSlugs, missingOf, sagasOf, type TenantSaga } from "./real-tenants.ts";
import type { Measures } from "./statistics.ts";

/** Real tenants, one after another: how long each takes, and how much of that is its steps' own work. */
export const tenant: Benchmark = {
  about: "real tenants one after another: time, the slowest chain of their steps, each step and call",
  runs: 10,
  flags: realInstallationFlags,
  notes: `wall_ms: from the request, sent over Kafka, to TenantProvisioned. critical_path_ms: the slowest chain of the steps' own
work. ratio: the first by the second. Each run is one tenant; one more before them warms the processes up.

${realInstallationNotes}`,
  example: "--runs 10 --json",
  prepare: async (values, progress) => {
    const real = await startRealInstallation(values, progress);
    progress("a tenant to warm up");
    await benchTenant(real).catch(async (error: unknown) => {
      await real.end();
      throw error;
    });
    return {
      variants: [
        {
          name: "",
          run: async (say) => {
            const found = await benchTenant(real);
            say(`${Math.round(Number(found.wall_ms))} ms, ratio ${Number(found.ratio).toFixed(2)}`);
            return found;
          },
        },
      ],
      end: real.end,
    };
  },
};

const benchTenant = async ({ installation, driver }: RealInstallation): Promise<Measures> => {
  const slugs = freshSlugs("tenant", 1);
  const [wallMs = Number.NaN] = await driver.run(slugs);
  const [saga] = await sagasOf(installation, slugs);
  assert.ok(saga !== undefined);
  assert.equal(saga.status, "ready", JSON.stringify(saga.error));
  assert.deepEqual(driver.endings.get(saga.slug), ["TenantProvisioned"], `${saga.slug} ended once`);
  assert.deepEqual(await missingOf(installation, saga), []);
  const durations = Object.fromEntries(provisioning.map(({ step }) => [step, durationOf(saga, step)]));
  const criticalPathMs = criticalPath(provisioning, durations);
  return {
    wall_ms: wallMs,
    critical_path_ms: criticalPathMs,
    ratio: wallMs / criticalPathMs,
    steps: Object.fromEntries(
      provisioning.map(({ step }) => [step, { ms: durationOf(saga, step), calls: callsOf(saga, step) }]),
    ),
  };
};

const durationOf = ({ steps, slug }: TenantSaga, step: string): number => {
  const durationMs = steps[step]?.durationMs;
  assert.ok(durationMs !== undefined, `the step ${step} of ${slug} tells how long it worked`);
  return durationMs;
};

/** ms by name; what was called several times is summed up. */
const callsOf = ({ steps }: TenantSaga, step: string): Record<string, number> => {
  const sums: Record<string, number> = {};
  for (const { name, durationMs } of steps[step]?.calls ?? []) sums[name] = (sums[name] ?? 0) + durationMs;
  return sums;
};
