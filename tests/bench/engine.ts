import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { fileURLToPath } from "node:url";
import type { Benchmark, Progress } from "./benchmark.ts";
import { type Driver, startDriver } from "./driver.ts";
import { UsageError, wholeNumber, wholeNumbers } from "./flags.ts";
import { imageSettings, nodeFlagsOf } from "./image-settings.ts";
import { type BenchInstallation, startInstallation } from "./installation.ts";
import { type SagaName, sagas } from "./noop-saga.ts";
import { failsInBackup } from "./planned-failures.ts";
import type { FleetProcess } from "./process-container.ts";
import { quantile } from "./statistics.ts";
import { fillWithSagas } from "./stored-sagas.ts";
import { cpuSecondsOf, pssOf } from "./usage.ts";

/** The orchestrator's real process and a real worker process with no-op handlers, on real Kafka and Postgres. */
export const engine: Benchmark = {
  about: "sagas of steps that do nothing: throughput, latency, CPU and memory",
  runs: 3,
  flags: {
    instances: {
      type: "string",
      value: "N[,N]",
      default: "1",
      help: "how many orchestrators and workers",
    },
    steps: {
      type: "string",
      value: "four|product",
      default: "four",
      help: "the saga that peers were measured on, or the product's own",
    },
    stored: {
      type: "string",
      value: "N[,N]",
      default: "0",
      help: "so many finished sagas are in the tables before",
    },
    sagas: { type: "string", value: "N", default: "2000", help: "the sagas of the burst" },
    quick: { type: "boolean", help: "a tenth of the sagas: to see that it works" },
    "cpu-prof": {
      type: "string",
      value: "FOLDER",
      help: "keep a CPU profile of each process of the fleet there",
    },
  },
  notes: `It runs on the Kafka and the Postgres of a running installation (npm start, or DEEPLENS_STACK_FILE) with an
installation of its own, which it removes.`,
  example: "--runs 3 --json",
  prepare: async (values) => {
    const saga = values.steps;
    if (saga !== "four" && saga !== "product")
      throw new UsageError(`--steps ${saga}: there are "four" and "product"`);
    const burst = wholeNumber(values, "sagas", 2);
    const size = values.quick ? { warmUp: 20, single: 10, burst: 200 } : { warmUp: 200, single: 50, burst };
    const profiles = values["cpu-prof"];
    const counts = wholeNumbers(values, "instances", 1);
    const storedCounts = wholeNumbers(values, "stored", 0);
    const each = counts.flatMap((instances) => storedCounts.map((stored) => ({ instances, stored })));
    const kept: (() => Promise<void>)[] = [];
    return {
      variants: each.map(({ instances, stored }) => {
        const options: EngineOptions = {
          ...{ instances, stored, saga },
          ...size,
          ...(typeof profiles === "string" ? { profiles } : {}),
        };
        return {
          name: each.length === 1 ? "" : `${instances} instance(s), ${stored} stored`,
          // Tables that take long to fill are filled once, and their runs are taken in turns.
          run: storedCounts.length === 1 ? onceOn(options) : inTurnsOn(options, kept),
        };
      }),
      ...(storedCounts.length === 1 ? {} : { compared: "sagas_per_s" }),
      end: async () => {
        for (const close of kept) await close();
      },
    };
  },
};

/** One run of the engine's benchmark, in the units of the names. */
type EngineResult = {
  readonly sagas_per_s: number;
  readonly p50_ms: number;
  readonly p99_ms: number;
  readonly loaded_p50_ms: number;
  readonly loaded_p99_ms: number;
  readonly cpu_s_per_1000: number;
  readonly pss_mb: number;
  readonly fleet_pss_mb: number;
};

interface EngineOptions {
  readonly instances: number;
  readonly saga: SagaName;
  /** Finished sagas that are in the tables before anything is measured. */
  readonly stored: number;
  readonly warmUp: number;
  readonly single: number;
  readonly burst: number;
  /** A folder for CPU profiles. */
  readonly profiles?: string;
}

/** What is measured, warm and filled. */
interface Site {
  readonly installation: BenchInstallation;
  readonly driver: Driver;
  /** Slugs that no run had yet, from a hint. */
  names(hint: string, count: number): string[];
  /** Each saga was asked for once, and ended as it had to. */
  check(): Promise<void>;
  close(): Promise<void>;
}

type Run = (progress: Progress) => Promise<EngineResult>;

const onceOn =
  (options: EngineOptions): Run =>
  async (progress) => {
    const site = await openSite(options, progress);
    try {
      return await measureOn(site, options, progress);
    } finally {
      await site.close();
    }
  };

/** Runs on one site, which is opened by the first of them. */
const inTurnsOn = (options: EngineOptions, kept: (() => Promise<void>)[]): Run => {
  let site: Site | undefined;
  return async (progress) => {
    if (site === undefined) {
      site = await openSite(options, progress);
      kept.push(site.close);
    }
    return measureOn(site, options, progress);
  };
};

const openSite = async (options: EngineOptions, progress: Progress): Promise<Site> => {
  progress(`starting ${options.instances} orchestrator(s) and worker(s)`);
  const installation = await startInstallation({ ...options, processes: processesOf(options) });
  const driver = await startDriver(installation);
  const close = async (): Promise<void> => {
    await driver.close();
    await installation.end();
  };
  const asked = new Set<string>();
  const names = (hint: string, count: number): string[] =>
    Array.from({ length: count }, () => {
      const slug = `${hint}-n${asked.size}`;
      asked.add(slug);
      return slug;
    });
  try {
    progress(`${options.warmUp} sagas to warm up`);
    const warm = names("warm", options.warmUp);
    await driver.run(warm);
    await fillWithSagas(installation.pool, warm[1] ?? "", options.stored, progress);
  } catch (error) {
    await close();
    throw error;
  }
  return { installation, driver, names, check: () => check(installation, driver, asked), close };
};

/** Sagas one after another, then a burst, then half of its throughput: each saga checked at the end. */
const measureOn = async (site: Site, options: EngineOptions, progress: Progress): Promise<EngineResult> => {
  const { installation, driver, names } = site;
  progress(`${options.single} sagas one after another`);
  const single: number[] = [];
  for (const slug of names("one", options.single)) single.push(...(await driver.run([slug])));

  progress(`${options.burst} sagas at once`);
  const cpuBefore = await cpuSecondsOf(installation.workforce);
  const startMs = performance.now();
  const memory = watchMemory(installation);
  await driver.run(names("burst", options.burst));
  const seconds = (performance.now() - startMs) / 1_000;
  const cpuAfter = await cpuSecondsOf(installation.workforce);
  const cpu: Record<string, number> = {};
  for (const [name, after] of Object.entries(cpuAfter))
    cpu[name] = ((after - (cpuBefore[name] ?? 0)) / options.burst) * 1_000;
  progress(
    `CPU s per 1,000: ${Object.entries(cpu)
      .map(([name, s]) => `${name} ${s.toFixed(2)}`)
      .join(", ")}`,
  );
  const peak = await memory.stop();
  const perSecond = options.burst / seconds;

  progress(`${options.burst / 2} sagas at ${Math.round(perSecond / 2)} a second`);
  const loaded = await driver.run(names("load", options.burst / 2), { perSecond: perSecond / 2 });

  await site.check();
  return {
    sagas_per_s: perSecond,
    p50_ms: quantile(single, 0.5),
    p99_ms: quantile(single, 0.99),
    loaded_p50_ms: quantile(loaded, 0.5),
    loaded_p99_ms: quantile(loaded, 0.99),
    cpu_s_per_1000: Object.values(cpu).reduce((sum, one) => sum + one, 0),
    ...peak,
  };
};

const healthPort = 8_080;

const processesOf = ({ instances, saga }: EngineOptions): Record<string, FleetProcess> => {
  const steps = sagas[saga].table.map(({ step }) => step);
  const environment = { ...imageSettings(), HEALTH_PORT: String(healthPort) };
  const each = Array.from({ length: instances }, (_, index): [string, FleetProcess][] => [
    [
      `saga-orchestrator ${index + 1}`,
      {
        file: fileURLToPath(new URL("./orchestrator-process.ts", import.meta.url)),
        args: [saga],
        nodeArgs: nodeFlagsOf("saga-orchestrator"),
        environment: { ...environment, API_TOKEN: randomBytes(24).toString("hex") },
        healthPorts: [healthPort],
      },
    ],
    [
      `noop-worker ${index + 1}`,
      {
        file: fileURLToPath(new URL("./noop-worker-process.ts", import.meta.url)),
        args: steps,
        environment,
        healthPorts: steps.map((_step, offset) => healthPort + offset),
      },
    ],
  ]);
  return Object.fromEntries(each.flat());
};

const memoryEveryMs = 500;

const watchMemory = ({
  workforce,
}: BenchInstallation): { stop(): Promise<Pick<EngineResult, "pss_mb" | "fleet_pss_mb">> } => {
  let peak = { pss_mb: 0, fleet_pss_mb: 0 };
  const look = async (): Promise<void> => {
    const pss = await pssOf(workforce);
    const sum = (wanted: (name: string) => boolean): number =>
      Object.entries(pss).reduce((total, [name, mb]) => total + (wanted(name) ? mb : 0), 0);
    const now = { pss_mb: sum(() => true), fleet_pss_mb: sum((name) => name in workforce.processes) };
    if (now.pss_mb > peak.pss_mb) peak = now;
  };
  let looking: Promise<void> = look();
  const timer = setInterval(() => {
    looking = looking.then(look);
  }, memoryEveryMs);
  return {
    stop: async () => {
      clearInterval(timer);
      await looking;
      await look();
      return peak;
    },
  };
};

/** Each saga ended as it had to and once, and nothing was commanded twice. */
const check = async (
  { pool }: BenchInstallation,
  { endings }: Driver,
  asked: ReadonlySet<string>,
): Promise<void> => {
  assert.deepEqual(new Set(endings.keys()), asked, "every saga ended");
  for (const [slug, seen] of endings)
    assert.deepEqual(
      seen,
      [failsInBackup(slug) ? "TenantProvisioningFailed" : "TenantProvisioned"],
      `${slug} ended once, as planned`,
    );
  const { rows } = await pool.query<{ sagas: number; doubled: number }>(
    `SELECT count(*)::int AS sagas,
            count(*) FILTER (WHERE EXISTS (SELECT 1 FROM json_each(steps) AS s WHERE (s.value -> 'attempts' ->> 'do')::int > 1))::int AS doubled
       FROM orchestrator.sagas WHERE slug NOT LIKE 'stored-%'`,
  );
  assert.deepEqual(rows[0], { sagas: asked.size, doubled: 0 }, "one saga a request, one command a step");
};
