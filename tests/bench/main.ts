/** `npm run bench -- <benchmark> [flags]`: what the product costs, measured on a running installation. */
import { backup } from "./backup.ts";
import type { Benchmark, Progress, Variant } from "./benchmark.ts";
import { engine } from "./engine.ts";
import { type Flags, helpOf, readFlags, UsageError, wholeNumber } from "./flags.ts";
import { idle } from "./idle.ts";
import { memory } from "./memory.ts";
import { saveResult } from "./page.ts";
import { remove } from "./remove.ts";
import { jsonOf, type Report, tableOf } from "./report.ts";
import { runningStackFile } from "./running-stack.ts";
import { type Measures, pairedRatio, spreadOf } from "./statistics.ts";
import { storm } from "./storm.ts";
import { tenant } from "./tenant.ts";

const benchmarks: Readonly<Record<string, Benchmark>> = {
  backup,
  engine,
  tenant,
  storm,
  remove,
  memory,
  idle,
};

const [name = "", ...argv] = process.argv.slice(2);
const chosen = Object.hasOwn(benchmarks, name) ? benchmarks[name] : undefined;
try {
  if (chosen !== undefined) await measure(chosen);
  else if (name === "--help") console.log(listOf(benchmarks));
  else throw new UsageError(name === "" ? "which benchmark?" : `there is no benchmark "${name}"`);
} catch (error) {
  if (!(error instanceof UsageError)) throw error;
  console.error(`${error.message}\n\n${chosen === undefined ? listOf(benchmarks) : usageOf(chosen)}`);
  process.exitCode = 2;
}

async function measure(benchmark: Benchmark): Promise<void> {
  const values = readFlags(flagsOf(benchmark), argv);
  if (values.help) return console.log(usageOf(benchmark));
  const runs = wholeNumber(values, "runs", 1);
  const startMs = performance.now();
  const progress: Progress = (text) => {
    const seconds = ((performance.now() - startMs) / 1_000).toFixed(1);
    process.stderr.write(`[${seconds.padStart(6)} s] ${text}\n`);
  };
  const running = process.env.DEEPLENS_STACK_FILE ?? (await runningStackFile());
  if (running !== undefined) process.env.DEEPLENS_STACK_FILE = running;
  const { variants, compared, end } = await benchmark.prepare(values, progress);
  const found = variants.map((variant) => ({ variant, measures: [] as Measures[] }));
  let report: Report;
  try {
    for (let run = 1; run <= runs; run++)
      // To and fro: a machine that gets slower or faster meets none of them more than the others.
      for (const { variant, measures } of run % 2 === 1 ? found : found.toReversed()) {
        const title = [`run ${run} of ${runs}`, variant.name].filter(Boolean).join(", ");
        measures.push(await variant.run((text) => progress(`${title}: ${text}`)));
      }
    const spreads = found.map(({ variant, measures }) => [variant.name, spreadOf(measures)] as const);
    report = {
      bench: name,
      runs,
      variants: Object.fromEntries(spreads),
      ...(compared === undefined ? {} : { ratios: ratiosOf(found, compared) }),
    };
    // While what was measured on is there: it is asked for its versions.
    if (values.save) await saveResult([name, ...argv], report);
  } finally {
    await end();
  }
  console.log(values.json ? jsonOf(report) : tableOf(report));
}

/** Of each variant to the first, in pairs of the same run. */
function ratiosOf(
  found: readonly { readonly variant: Variant; readonly measures: readonly Measures[] }[],
  key: string,
): NonNullable<Report["ratios"]> {
  const [base, ...others] = found.map(({ variant, measures }) => ({
    name: variant.name,
    values: measures.map((one) => Number(one[key])),
  }));
  return others.map(({ name: of, values }) => ({
    ...{ key, of, to: base?.name ?? "" },
    ...pairedRatio(values, base?.values ?? []),
  }));
}

function flagsOf({ runs, flags }: Benchmark): Flags {
  return {
    runs: { type: "string", value: "N", default: String(runs), help: "how often; the medians count" },
    ...flags,
    save: { type: "boolean", help: "keep the result in docs/performance/, and write docs/performance.md" },
    json: { type: "boolean", help: "one line of JSON last, in place of the table" },
    help: { type: "boolean", help: "this text" },
  };
}

function usageOf(benchmark: Benchmark): string {
  const { about, notes, example } = benchmark;
  return `usage: npm run bench -- ${name} [flags]
${about}

${helpOf(flagsOf(benchmark))}

${notes}

example:
  npm run bench -- ${name} ${example}`;
}

function listOf(all: Readonly<Record<string, Benchmark>>): string {
  const lines = Object.entries(all).map(([one, { about }]) => `  ${one.padEnd(10)} ${about}`);
  return `usage: npm run bench -- <benchmark> [flags]

${lines.join("\n")}

npm run bench -- <benchmark> --help tells its flags, what it runs on and what it leaves.

example:
  npm run bench -- engine --runs 3 --json`;
}
