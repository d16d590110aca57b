/** `npm run bench -- engine [--runs N] [--instances 1,2,4] [--steps product] [--cpu-prof FOLDER] [--json]`. */
import { parseArgs } from "node:util";
import { benchEngine, type EngineResult } from "./engine.ts";
import { type Spread, spreadOf } from "./statistics.ts";

const usage = `usage: npm run bench -- engine [flags]

  --runs N             how often; the medians count (default 3)
  --instances N[,N]    how many orchestrators and workers (default 1)
  --steps four|product the saga that peers were measured on, or the product's own (default four)
  --sagas N            the sagas of the burst (default 2000)
  --quick              a tenth of the sagas: to see that it works
  --cpu-prof FOLDER    keep a CPU profile of each process of the fleet there
  --json               one line of JSON last, in place of the table
  --help               this text

It runs on the Kafka and the Postgres of a running installation (npm start, or DEEPLENS_STACK_FILE) with an
installation of its own, which it removes.

example:
  npm run bench -- engine --runs 3 --json
`;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    runs: { type: "string", default: "3" },
    instances: { type: "string", default: "1" },
    steps: { type: "string", default: "four" },
    sagas: { type: "string", default: "2000" },
    "cpu-prof": { type: "string" },
    quick: { type: "boolean", default: false },
    json: { type: "boolean", default: false },
    help: { type: "boolean", default: false },
  },
});

const saga = values.steps === "four" || values.steps === "product" ? values.steps : undefined;
const profiles = values["cpu-prof"];
const runs = Number(values.runs);
const instances = values.instances.split(",").map(Number);
const wrong =
  positionals[0] !== "engine" ||
  saga === undefined ||
  !(runs >= 1) ||
  !(Number(values.sagas) >= 2) ||
  instances.some((one) => !(one >= 1));

if (values.help || wrong) {
  (values.help ? process.stdout : process.stderr).write(usage);
  process.exit(values.help ? 0 : 2);
}

const startMs = performance.now();
const progress = (text: string): void => {
  process.stderr.write(`[${((performance.now() - startMs) / 1_000).toFixed(1).padStart(6)} s] ${text}\n`);
};

const size = values.quick
  ? { warmUp: 20, single: 10, burst: 200 }
  : { warmUp: 200, single: 50, burst: Number(values.sagas) };
const results: Record<string, Record<string, Spread>> = {};
for (const count of instances) {
  const each: EngineResult[] = [];
  for (let run = 1; run <= runs; run++)
    each.push(
      await benchEngine({
        instances: count,
        saga: saga ?? "four",
        ...size,
        ...(profiles === undefined ? {} : { profiles }),
        progress: (text) => progress(`run ${run} of ${runs}: ${text}`),
      }),
    );
  const keys = Object.keys(each[0] ?? {}) as (keyof EngineResult)[];
  results[count] = Object.fromEntries(keys.map((key) => [key, spreadOf(each.map((result) => result[key]))]));
}

if (values.json) {
  console.log(JSON.stringify({ bench: "engine", steps: saga, runs, instances: results }));
} else {
  for (const [count, result] of Object.entries(results)) {
    console.log(`\nengine, ${saga} steps, ${count} instance(s), median of ${runs} (minimum to maximum)`);
    for (const [key, { median, min, max }] of Object.entries(result))
      console.log(
        `  ${key.padEnd(16)} ${median.toFixed(1).padStart(8)}   (${min.toFixed(1)} to ${max.toFixed(1)})`,
      );
  }
}
