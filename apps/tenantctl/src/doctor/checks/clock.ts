import { type Check, type Finding, problem, warning } from "../check.ts";
import { inTenantPostgres } from "../control-database.ts";
import type { Patient } from "../patient.ts";

/** The services' clocks and this machine's agree: deadlines, tokens and MinIO's signatures depend on it. */
export const clock: Check = {
  name: "clock",
  needs: [],
  unanswered: () => "timedatectl",
  examine: async (patient, signal) => {
    const clocks = clocksOf(patient, signal);
    const settled = await Promise.allSettled(clocks.map(measure));
    // One that does not answer is another check's finding, with what mends it.
    const skews = settled.flatMap((one) => (one.status === "fulfilled" ? [one.value] : []));
    const furthest = Math.max(0, ...skews.map(({ skewMs }) => Math.abs(skewMs)));
    return {
      seen: `${skews.length} clocks, ${(furthest / 1000).toFixed(1)} s apart at most`,
      findings: skews.flatMap(skewFinding),
    };
  },
};

interface Clock {
  readonly name: string;
  /** How exactly it tells the time, in ms. */
  readonly grainMs: number;
  readonly read: () => Promise<Date>;
}

const clocksOf = (patient: Patient, signal: AbortSignal): readonly Clock[] => [
  { name: "the engine", grainMs: 0, read: async () => (await patient.engine.about({ signal })).time },
  {
    name: "Postgres",
    grainMs: 0,
    read: () =>
      inTenantPostgres(patient, async (db) => {
        const { rows } = await db.query<{ now: Date }>("SELECT clock_timestamp() AS now");
        if (rows[0] === undefined) throw new Error("no time");
        return rows[0].now;
      }),
  },
  ...(
    [
      ["MinIO", `${patient.stack.minio.endpoint}/minio/health/live`],
      ["the Identity API", `${patient.stack.identity.url}/api/tenant/health`],
      ["the schema registry", `${patient.stack.schemaRegistry.url}/subjects`],
      ["the orchestrator", patient.stack.api.url],
    ] as const
  ).map(([name, url]) => ({ name, grainMs: 1_000, read: () => dateOf(url, signal) })),
];

const dateOf = async (url: string, signal: AbortSignal): Promise<Date> => {
  const response = await fetch(url, { signal });
  await response.body?.cancel();
  const date = response.headers.get("date");
  if (date === null) throw new Error(`${url} does not tell the time`);
  return new Date(date);
};

interface Skew {
  readonly name: string;
  /** Its time less ours; 0 where the difference may come from the way there or from its grain. */
  readonly skewMs: number;
}

const measure = async ({ name, grainMs, read }: Clock): Promise<Skew> => {
  const before = Date.now();
  const told = (await read()).getTime();
  const after = Date.now();
  if (told > after) return { name, skewMs: told - after };
  return { name, skewMs: told + grainMs < before ? told + grainMs - before : 0 };
};

const skewFinding = ({ name, skewMs }: Skew): readonly Finding[] => {
  const what = `the clock of ${name} is ${(Math.abs(skewMs) / 1000).toFixed(1)} s ${skewMs < 0 ? "behind" : "ahead of"} this machine's`;
  const mend =
    "on the machine whose clock is wrong: chronyc makestep (or: systemctl restart systemd-timesyncd)";
  if (Math.abs(skewMs) >= 60_000) return [problem(what, mend)];
  return Math.abs(skewMs) >= 2_000 ? [warning(what, mend)] : [];
};
