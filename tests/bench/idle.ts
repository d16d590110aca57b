import assert from "node:assert/strict";
import { setTimeout as delay } from "node:timers/promises";
import Docker from "dockerode";
import type { Benchmark, Progress } from "./benchmark.ts";
import { wholeNumber } from "./flags.ts";
import { realInstallationFlags, realInstallationNotes, startRealInstallation } from "./real-installation.ts";
import { cpuSecondsOf, shimCpuSecondsOf } from "./usage.ts";
import { fleet } from "./whole-fleet.ts";

/** What the fleet costs while nobody asks for anything. */
export const idle: Benchmark = {
  about: "the CPU of the fleet with nothing to do, its containers' health checks included",
  runs: 3,
  flags: {
    seconds: { type: "string", value: "S", default: "60", help: "how long it is watched, in each run" },
    settle: { type: "string", value: "S", default: "30", help: "how long before that nothing is done" },
    ...realInstallationFlags,
  },
  notes: `In percent of a core: what the processes in the fleet's containers take, checks included (the engine's cgroups), and
checks, what the engine takes to start these in the containers (its shim and runc). fleet_percent is the sum. services:
what Kafka and Postgres take meanwhile.

${realInstallationNotes}`,
  example: "--runs 3 --json",
  prepare: async (values, progress) => {
    const seconds = wholeNumber(values, "seconds", 1);
    const settleMs = wholeNumber(values, "settle", 0) * 1_000;
    const real = await startRealInstallation(values, progress);
    const { installation } = real.installation.services;
    // It follows the lifecycle topic, which is no part of the fleet's work.
    await real.driver.close();
    return {
      variants: [{ name: "", run: (say) => watchIdle(installation, { seconds, settleMs, say }) }],
      end: real.end,
    };
  },
};

const watchIdle = async (
  installation: string,
  { seconds, settleMs, say }: { seconds: number; settleMs: number; say: Progress },
) => {
  const containers = fleet.map((name) => `${installation}-${name}`);
  const services = ["kafka", "postgres"].map((name) => `${installation}-${name}`);
  const look = async () => ({
    cpu: await cpuSecondsOf({ processes: {}, containers: [...containers, ...services] }),
    shims: await shimCpuSecondsOf(containers),
    startedAt: await startedAtOf(containers),
    atMs: performance.now(),
  });
  await delay(settleMs);
  say(`watching for ${seconds} s`);
  const before = await look();
  await delay(seconds * 1_000);
  const after = await look();
  assert.deepEqual(after.startedAt, before.startedAt, "no process was started again meanwhile");

  const percent = (now = 0, then = 0): number => ((now - then) / (after.atMs - before.atMs)) * 100_000;
  const of = (names: readonly string[], kind: "cpu" | "shims"): Record<string, number> =>
    Object.fromEntries(
      names.map((name) => [
        name.slice(installation.length + 1),
        percent(after[kind][name], before[kind][name]),
      ]),
    );
  const sum = (group: Readonly<Record<string, number>>): number =>
    Object.values(group).reduce((total, one) => total + one, 0);
  const processes = of(containers, "cpu");
  const checks = sum(of(containers, "shims"));
  return { fleet_percent: sum(processes) + checks, processes, checks, services: of(services, "cpu") };
};

const startedAtOf = (names: readonly string[]): Promise<readonly string[]> =>
  Promise.all(names.map(async (name) => (await new Docker().getContainer(name).inspect()).State.StartedAt));
