import { startDriver } from "./driver.ts";
import { startInstallation } from "./installation.ts";
import { quantile } from "./statistics.ts";
import { cpuSecondsOf } from "./usage.ts";

const profiles = process.argv[2];
const inst = await startInstallation({ instances: 1, saga: "four", ...(profiles ? { profiles } : {}) });
const driver = await startDriver(inst);
try {
  for (let i = 0; i < 100; i++) await driver.run([`w-n${i}1`]);
  const before = await cpuSecondsOf(inst.workforce);
  const t = performance.now();
  const lat: number[] = [];
  const N = 400;
  for (let i = 0; i < N; i++) lat.push(...(await driver.run([`s-n${i}1`])));
  const wall = performance.now() - t;
  const after = await cpuSecondsOf(inst.workforce);
  console.log(
    "p50",
    quantile(lat, 0.5).toFixed(1),
    "p99",
    quantile(lat, 0.99).toFixed(1),
    "wall/saga",
    (wall / N).toFixed(1),
    "cpu ms/saga",
    Object.entries(after)
      .map(([k, v]) => `${k} ${(((v - before[k]!) / N) * 1000).toFixed(2)}`)
      .join(", "),
  );
  const { rows } = await inst.pool.query(
    `SELECT steps, created_at FROM orchestrator.sagas WHERE slug LIKE 's-%' ORDER BY created_at DESC LIMIT 200`,
  );
  const d: Record<string, number[]> = {};
  const add = (k: string, v: number) => (d[k] ??= []).push(v);
  for (const r of rows) {
    const s = r.steps;
    const at = (x: string) => Date.parse(x);
    const c0 = at(s.database.commandedAt);
    const fin = ["database", "storage", "vectors"].map((k) => at(s[k].finishedAt)).sort((a, b) => a - b);
    add("cmd->first done", fin[0]! - c0);
    add("cmd->last done", fin[2]! - c0);
    add("last done->backup cmd", at(s.backup.commandedAt) - fin[2]!);
    add("backup cmd->done", at(s.backup.finishedAt) - at(s.backup.commandedAt));
  }
  for (const [k, v] of Object.entries(d)) console.log(k, quantile(v, 0.5), quantile(v, 0.9));
  const tx = await inst.pool.query(
    `SELECT count(DISTINCT at)::float / count(DISTINCT saga_id) AS per FROM orchestrator.history`,
  );
  console.log("transactions a saga (with history)", tx.rows[0].per);
} finally {
  await driver.close();
  await inst.end();
}
