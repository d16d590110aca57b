import assert from "node:assert/strict";
import { setTimeout as delay } from "node:timers/promises";
import { createClient, quoteIdentifier } from "@deeplens/postgres";
import { stack } from "@deeplens/testing";
import type { Benchmark, Progress } from "./benchmark.ts";
import { startDriver } from "./driver.ts";
import { UsageError, wholeNumber } from "./flags.ts";
import { imageSettings, nodeFlagsOf } from "./image-settings.ts";
import { startInstallation } from "./installation.ts";
import { failsInBackup } from "./planned-failures.ts";
import { forms, type StagedCode, stageCode } from "./staged-code.ts";
import { cpuSecondsOf, pssOf, type Workforce } from "./usage.ts";
import { type FleetSettings, wholeFleet } from "./whole-fleet.ts";

/** What the six processes of the product hold, idle and under the engine's load. */
export const memory: Benchmark = {
  about: "the memory of the fleet's six processes, idle and under load, and the CPU of their start",
  runs: 3,
  flags: {
    code: {
      type: "string",
      value: "FORM[,FORM]",
      default: "stripped",
      help: "stripped: as in the image; typescript: as in a clone",
    },
    sagas: { type: "string", value: "N", default: "2000", help: "the sagas of the load" },
    idle: { type: "string", value: "S", default: "20", help: "seconds of idleness before it is looked at" },
    node: {
      type: "string",
      value: "FLAGS",
      help: "for all six, in place of the image's and docker-compose.yml's: --node='--max-semi-space-size=16'",
    },
  },
  notes: `It runs on a running installation's services (npm start, or DEEPLENS_STACK_FILE) with an installation of its own,
which it removes: each process's own main.ts, with the settings of the fleet's image, the clients and connections that it has in production, and a handler
that does nothing. Proportional set sizes count a page that n processes map as an n-th for each.`,
  example: "--code stripped,typescript --runs 3",
  prepare: async (values) => {
    const chosen = String(values.code).split(",");
    const known = forms.filter((form) => chosen.includes(form));
    if (known.length < chosen.length)
      throw new UsageError(`--code ${values.code}: it is of ${forms.join(", ")}`);
    const sagas = wholeNumber(values, "sagas", 1);
    const idleMs = wholeNumber(values, "idle", 0) * 1_000;
    const settings = imageSettings();
    const fleetSettings: FleetSettings =
      typeof values.node === "string"
        ? { settings: { ...settings, NODE_OPTIONS: values.node }, orchestratorFlags: [] }
        : { settings, orchestratorFlags: nodeFlagsOf("saga-orchestrator") };
    const staged = await Promise.all(known.map(async (form) => [form, await stageCode(form)] as const));
    return {
      variants: staged.map(([form, code]) => ({
        name: known.length === 1 ? "" : form,
        run: (progress) => benchMemory({ code, sagas, idleMs, fleetSettings, progress }),
      })),
      end: async () => {
        for (const [, code] of staged) await code.remove();
      },
    };
  },
};

interface MemoryOptions {
  readonly code: StagedCode;
  readonly sagas: number;
  readonly idleMs: number;
  readonly fleetSettings: FleetSettings;
  readonly progress: Progress;
}

type Held = {
  readonly total_pss_mb: number;
  readonly [process: string]: number;
};
type MemoryResult = {
  /** The highest of what was seen under load. */
  readonly total_pss_mb: number;
  readonly idle: Held;
  readonly loaded: Held;
  /** Until the processes were ready. */
  readonly start_cpu_s: Readonly<Record<string, number>>;
};

const lookEveryMs = 250;

const benchMemory = async ({
  code,
  sagas,
  idleMs,
  fleetSettings,
  progress,
}: MemoryOptions): Promise<MemoryResult> => {
  progress("starting the six processes");
  const installation = await startInstallation({
    processes: wholeFleet(code, fleetSettings),
    code: code.folder,
  });
  const fleet: Workforce = { processes: installation.workforce.processes, containers: [] };
  try {
    const start_cpu_s = await cpuSecondsOf(fleet);
    progress(`idle for ${idleMs / 1_000} s`);
    await delay(idleMs);
    const idle = await heldBy(fleet);
    progress(`${Math.round(idle.total_pss_mb)} MB idle; ${sagas} sagas at once`);
    const loaded = await underLoad(installation, sagas, () => heldBy(fleet));
    return { total_pss_mb: loaded.total_pss_mb, idle, loaded, start_cpu_s };
  } finally {
    await installation.end();
    await removeTemplate(installation.name);
  }
};

const heldBy = async (fleet: Workforce): Promise<Held> => {
  const each = await pssOf(fleet);
  const total_pss_mb = Object.values(each).reduce((sum, one) => sum + one, 0);
  return { total_pss_mb, ...each };
};

/** The look with the highest total. Each saga is checked: it ended as planned. */
const underLoad = async (
  installation: Parameters<typeof startDriver>[0],
  sagas: number,
  look: () => Promise<Held>,
): Promise<Held> => {
  const driver = await startDriver(installation);
  try {
    const slugs = Array.from({ length: sagas }, (_, index) => `load-n${index}`);
    let over = false;
    const work = driver.run(slugs).finally(() => {
      over = true;
    });
    let highest = await look();
    while (!over) {
      await Promise.race([delay(lookEveryMs), work]);
      const now = await look();
      if (now.total_pss_mb > highest.total_pss_mb) highest = now;
    }
    await work;
    for (const slug of slugs)
      assert.deepEqual(
        driver.endings.get(slug),
        [failsInBackup(slug) ? "TenantProvisioningFailed" : "TenantProvisioned"],
        `${slug} ended once, as planned`,
      );
    return highest;
  } finally {
    await driver.close();
  }
};

/** The database worker makes one for its installation, outside the benchmark's own database. */
const removeTemplate = async (installation: string): Promise<void> => {
  const { host, port, adminUser: user, password } = stack().tenantDb;
  const client = createClient({ host, port, user, password, database: "postgres" }, "bench");
  await client.connect();
  try {
    const { rows } = await client.query<{ name: string }>(
      "SELECT datname AS name FROM pg_database WHERE starts_with(datname, $1)",
      [`${installation}_template`],
    );
    for (const { name } of rows) {
      await client.query(`ALTER DATABASE ${quoteIdentifier(name)} IS_TEMPLATE false`);
      await client.query(`DROP DATABASE ${quoteIdentifier(name)} WITH (FORCE)`);
    }
    await client.query(`DROP ROLE IF EXISTS ${quoteIdentifier(`${installation}_template_owner`)}`);
  } finally {
    await client.end();
  }
};
