import type { PartHealth, TenantHealth } from "@deeplens/client";
import { byteText } from "@deeplens/contracts";
import { type ExitCode, exitCodes } from "../exit-code.ts";
import { acting, type Commands } from "../session.ts";
import { tenantReference } from "../tenant-reference.ts";
import { columns, duration, moment, shown } from "../text.ts";

interface Options {
  readonly last?: boolean;
}

export const addHealth = (commands: Commands): void => {
  commands.program
    .command("health")
    .argument("<name>", "the tenant's name, slug or id")
    .description("look at each part of a tenant with its own credentials")
    .option("--last", "what was seen when it was looked at last; nothing is asked anew")
    .addHelpText(
      "after",
      "\nExit codes: 0 all is well, 3 something is ill, 4 a part's worker has not looked." +
        "\nExamples:\n  $ tenantctl health acme\n  $ tenantctl health acme --json | jq -r '.parts[] | select(.status == \"ill\").reason'",
    )
    .action(
      acting<Options, [string]>(commands, async ({ api, options, out }, name) => {
        if (options.last !== true) out.say(`Looking at ${name} with its own credentials ...`);
        const health = await api().health(tenantReference(name), { last: options.last === true });
        out.result(health, () => textOf(health));
        return codeOf(health);
      }),
    );
};

const codeOf = ({ status }: TenantHealth): ExitCode => {
  if (status === "well") return exitCodes.ok;
  return status === "degraded" ? exitCodes.problems : exitCodes.warnings;
};

const textOf = (health: TenantHealth): string => {
  const title = `Tenant ${health.slug} is ${health.state}: ${health.status}`;
  if (health.parts.length === 0) return `${title}\n  nobody has looked at it yet`;
  return [
    title,
    columns([["PART", "", "LATENCY", "SEEN"], ...health.parts.flatMap(rowsOf)], "  "),
    ...health.parts.flatMap(complaintOf),
  ].join("\n");
};

const marks = { well: "well", ill: "ILL", unknown: "unknown" } as const;

/** A line for each thing of a part, or one for the part where it tells of no things. */
const rowsOf = (part: PartHealth): string[][] => {
  const things = thingsOf(part.facts);
  if (things.length === 0) return [[part.part, marks[part.status], "", ageOf(part)]];
  return things.map(([thing, { ok, latencyMs, reason, code: _code, ...facts }]) => [
    thing === part.part ? thing : `${part.part}/${thing}`,
    part.status === "unknown" ? marks.unknown : ok === "false" ? marks.ill : marks.well,
    latencyMs === undefined ? "" : duration(Number(latencyMs)),
    shown(
      reason ??
        Object.entries(facts)
          .map(([name, value]) => wordOf(name, value))
          .join(", "),
    ),
  ]);
};

const ageOf = ({ checkedAt }: PartHealth): string =>
  checkedAt === null ? "its worker has not looked yet" : `looked at ${moment(checkedAt)}`;

// `redis.version` is the version of the thing `redis`.
const thingsOf = (facts: Readonly<Record<string, string>>): [string, Readonly<Record<string, string>>][] => {
  const things = new Map<string, Record<string, string>>();
  for (const [key, value] of Object.entries(facts)) {
    const dot = key.indexOf(".");
    if (dot < 0) continue;
    const thing = things.get(key.slice(0, dot)) ?? {};
    thing[key.slice(dot + 1)] = value;
    things.set(key.slice(0, dot), thing);
  }
  return [...things];
};

/** `usedBytes` 1048576 becomes "used 1.0 MiB"; `lastBackupAt` a moment; `quotaBytes` 0 is no quota. */
const wordOf = (name: string, value: string): string => {
  const word = name.replace(/(Bytes|At)$/, "").replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
  if (name.endsWith("Bytes")) return `${word} ${byteText(Number(value))}`;
  return `${word} ${name.endsWith("At") && !Number.isNaN(Date.parse(value)) ? moment(new Date(value).toISOString()) : value}`;
};

const complaintOf = ({ part, status, code, reason, since }: PartHealth): string[] =>
  status === "ill"
    ? [`${part} is ill (${code})${since === null ? "" : ` since ${moment(since)}`}: ${shown(reason ?? "")}`]
    : [];
