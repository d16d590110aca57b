import type { Answer } from "../../api/call.ts";
import type { Tone } from "../../parts/tone.ts";

export type Overview = Answer<"GET /v1/overview">;

export interface Finding {
  readonly tone: Tone;
  readonly text: string;
  /** Where to look. */
  readonly to: "/groups" | "/debts" | "/tenants" | "/sagas" | "/";
}

const many = (count: number, one: string, more: string): string => `${count} ${count === 1 ? one : more}`;

/** What is wrong, the gravest first; nothing where nothing is. */
export const findingsOf = (overview: Overview): readonly Finding[] => {
  const { groups, debts, degraded, workers, deadLetters, backups, stoppedPartitions } = overview;
  const failed = groups.reduce((sum, { count }) => sum + count, 0);
  const letters = (deadLetters ?? []).reduce((sum, { count }) => sum + count, 0);
  const silent = workers.filter(({ alive }) => alive === 0).map(({ step }) => step);
  const finding = (isSo: boolean, tone: Tone, text: string, to: Finding["to"]): readonly Finding[] =>
    isSo ? [{ tone, text, to }] : [];
  return [
    ...finding(
      stoppedPartitions > 0,
      "bad",
      `${many(stoppedPartitions, "partition is", "partitions are")} not read`,
      "/",
    ),
    ...finding(silent.length > 0, "bad", `no ${silent.join(", no ")} worker is alive`, "/"),
    ...finding(
      failed > 0,
      "bad",
      `${many(failed, "saga", "sagas")} failed for ${many(groups.length, "cause", "causes")}`,
      "/groups",
    ),
    ...finding(debts > 0, "bad", `${many(debts, "undo is", "undos are")} owed`, "/debts"),
    ...finding(degraded > 0, "bad", `${many(degraded, "tenant is", "tenants are")} degraded`, "/tenants"),
    ...finding(letters > 0, "warn", many(letters, "dead letter", "dead letters"), "/"),
    ...finding(
      backups.overdue > 0,
      "warn",
      `${many(backups.overdue, "backup is", "backups are")} older than a day`,
      "/tenants",
    ),
  ];
};
