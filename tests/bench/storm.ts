import assert from "node:assert/strict";
import { tracesOf } from "@deeplens/e2e/traces";
import Docker from "dockerode";
import type { Benchmark, Progress } from "./benchmark.ts";
import { wholeNumber } from "./flags.ts";
import {
  type RealInstallation,
  realInstallationFlags,
  realInstallationNotes,
  startRealInstallation,
} from "./real-installation.ts";
import { freshSlugs, missingOf, sagasOf, type TenantSaga } from "./real-tenants.ts";
import type { Measures } from "./statistics.ts";

/** Many real tenants at once; then as many whose last step fails for a real reason, and of whom nothing may be left. */
export const storm: Benchmark = {
  about: "20 real tenants at once, then 20 that fail in their last step and are rolled back",
  runs: 1,
  flags: {
    tenants: { type: "string", value: "N", default: "20", help: "how many at once" },
    ...realInstallationFlags,
  },
  notes: `whole: ready, and every part found in its service. duplicate_ports: host ports that more than one container was given.
wall_ms: from the requests to the last TenantProvisioned. Then as many whose administrator Identity refuses (400: the
address is somebody's): rolled_back counts them, left_behind what any service still has of them, and rollback_ms is the
longest time from a tenant's refusal to its TenantProvisioningFailed.

${realInstallationNotes}`,
  example: "--json",
  prepare: async (values, progress) => {
    const count = wholeNumber(values, "tenants", 1);
    const real = await startRealInstallation(values, progress);
    return { variants: [{ name: "", run: (say) => benchStorm(real, count, say) }], end: real.end };
  },
};

const benchStorm = async (real: RealInstallation, count: number, progress: Progress): Promise<Measures> => {
  progress(`${count} tenants at once`);
  const { names, measures } = await provisionAll(real, count);
  progress(`${count} tenants whose administrator is refused`);
  return { ...measures, ...(await rollBackAll(real, count, `admin@${names[0]}.example`)) };
};

const provisionAll = async ({ installation, driver }: RealInstallation, count: number) => {
  const names = freshSlugs("storm", count);
  const latencies = await driver.run(names);
  const sagas = await sagasOf(installation, names);
  const missing: string[] = [];
  for (const saga of sagas) {
    assert.equal(saga.status, "ready", `${saga.slug}: ${JSON.stringify(saga.error)}`);
    assert.deepEqual(driver.endings.get(saga.slug), ["TenantProvisioned"], `${saga.slug} ended once`);
    missing.push(...(await missingOf(installation, saga)));
  }
  assert.deepEqual(missing, []);
  const ports = await hostPorts(installation.services.installation);
  assert.ok(ports.length >= 2 * count, `${ports.length} host ports of at least ${2 * count}`);
  const duplicates = ports.length - new Set(ports).size;
  assert.equal(duplicates, 0, `no host port is given twice: ${ports.join(", ")}`);
  const measures = {
    tenants: count,
    whole: sagas.length,
    duplicate_ports: duplicates,
    wall_ms: Math.max(...latencies),
  };
  return { names, measures };
};

/** The host ports that tenants' vector engines were made with, whether or not they run. */
const hostPorts = async (installation: string): Promise<string[]> => {
  const docker = new Docker();
  const label = [`deeplens.installation=${installation}`, "service=qdrant"];
  const containers = await docker.listContainers({ all: true, filters: { label } });
  const each = await Promise.all(
    containers.map(async ({ Id }) => {
      const { HostConfig } = await docker.getContainer(Id).inspect();
      const bindings = Object.values(HostConfig.PortBindings ?? {}) as { HostPort: string }[][];
      return bindings.flat().map(({ HostPort }) => HostPort);
    }),
  );
  return each.flat();
};

const rollBackAll = async (
  { installation, driver }: RealInstallation,
  count: number,
  email: string,
): Promise<Measures> => {
  const names = freshSlugs("refused", count);
  const beganMs = Date.now();
  const latencies = await driver.run(names, { email });
  const sagas = await sagasOf(installation, names);
  const left: string[] = [];
  for (const saga of sagas) {
    assert.ok(["rolled-back", "closed"].includes(saga.status), `${saga.slug} is ${saga.status}`);
    assert.equal(saga.error?.step, "identity", `${saga.slug} failed in its last step`);
    assert.match(saga.error.code, /refused/);
    assert.deepEqual(driver.endings.get(saga.slug), ["TenantProvisioningFailed"], `${saga.slug} ended once`);
    left.push(...(await tracesOf(installation, { tenantId: saga.tenant_id, slug: saga.slug })));
  }
  assert.deepEqual(left, []);
  const refusals = await refusalsOf(installation, sagas);
  const rollbacks = latencies.map(
    (latencyMs, index) => beganMs + latencyMs - (refusals[index] ?? Number.NaN),
  );
  return {
    rolled_back: sagas.length,
    left_behind: left.length,
    rollback_ms: Math.max(...rollbacks),
  };
};

/** When each of these sagas heard that its last step failed: milliseconds since 1970, in their order. */
const refusalsOf = async (
  { control }: RealInstallation["installation"],
  sagas: readonly TenantSaga[],
): Promise<number[]> => {
  const { rows } = await control.query<{ saga_id: string; at: Date }>(
    `SELECT saga_id, min(at) AS at FROM orchestrator.history
      WHERE saga_id = ANY ($1) AND event = 'StepFailed' AND step = 'identity' GROUP BY saga_id`,
    [sagas.map(({ saga_id }) => saga_id)],
  );
  return sagas.map(({ saga_id, slug }) => {
    const refusal = rows.find((row) => row.saga_id === saga_id);
    assert.ok(refusal !== undefined, `the refusal of ${slug} is in its history`);
    return refusal.at.getTime();
  });
};
