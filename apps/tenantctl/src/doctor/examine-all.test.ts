import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { checkNames } from "../commands/doctor.ts";
import { type Check, type Examined, problem, warning } from "./check.ts";
import { certificateFindings } from "./checks/certificates.ts";
import { roomFindings } from "./checks/disk.ts";
import { replicasOf } from "./checks/kafka.ts";
import { connectionsOf } from "./checks/postgres.ts";
import { checks } from "./checks.ts";
import { examineAll } from "./examine-all.ts";
import type { Patient } from "./patient.ts";
import { reportOf } from "./report.ts";

const patient = { installation: "test" } as Patient;

const check = (name: string, change: Partial<Check> = {}): Check => ({
  name,
  needs: [],
  unanswered: () => `start ${name}`,
  examine: async () => ({ seen: "well", findings: [] }),
  ...change,
});

const examine = async (all: readonly Check[], patienceMs = 1_000) => {
  const done: string[] = [];
  const examined = await examineAll(all, patient, {
    patienceMs,
    signal: new AbortController().signal,
    onDone: (one) => done.push(one.check),
  });
  return { examined, done, of: (name: string) => examined.find((one) => one.check === name) };
};

test("checks run at once, and are told in the order of the table", async () => {
  const slow = (name: string) =>
    check(name, { examine: () => delay(200, { seen: "well", findings: [] as const }) });
  const began = Date.now();
  const { examined, done } = await examine([slow("a"), slow("b"), slow("c"), check("d")]);
  assert.ok(Date.now() - began < 550, `it took ${Date.now() - began} ms`);
  assert.equal(done[0], "d");
  assert.deepEqual(
    examined.map((one) => [one.check, one.status]),
    [
      ["a", "ok"],
      ["b", "ok"],
      ["c", "ok"],
      ["d", "ok"],
    ],
  );
});

test("a check without an answer is a finding, and what needs it is skipped, all the way", async () => {
  const { of } = await examine([
    check("deepest", { needs: ["deep"] }),
    check("deep", { needs: ["silent"] }),
    check("silent", { examine: () => Promise.reject(new Error("connection refused")) }),
    check("other"),
  ]);
  assert.deepEqual(of("silent")?.findings, [problem("connection refused", "start silent")]);
  assert.deepEqual(
    [of("deep")?.status, of("deepest")?.status, of("other")?.status],
    ["skipped", "skipped", "ok"],
  );
});

test("a check that answered with a problem does not keep others from being run", async () => {
  const ill = check("ill", { examine: async () => ({ seen: "ill", findings: [problem("ill", "mend it")] }) });
  const { of } = await examine([ill, check("other", { needs: ["ill"] })]);
  assert.deepEqual([of("ill")?.status, of("other")?.status], ["problem", "ok"]);
});

test("a check that hangs ends at its limit, whether it listens to the signal or not", async () => {
  const { of } = await examine([check("hangs", { examine: () => new Promise(() => undefined) })], 50);
  assert.equal(of("hangs")?.findings[0]?.what, "hangs gave no answer within 0.05 s");
});

test("the names for --only are the checks', and what a check needs is a check", () => {
  assert.deepEqual(
    checks.map(({ name }) => name),
    [...checkNames],
  );
  for (const { needs } of checks)
    for (const name of needs) assert.ok(checks.some((one) => one.name === name));
});

test("the report begins with problems, shows what mends each, and names what was not looked at", () => {
  const one = (change: Partial<Examined>): Examined => ({
    ...{ check: "a", status: "ok", seen: "", findings: [], durationMs: 1 },
    ...change,
  });
  assert.equal(reportOf([one({})]), "All is well.");
  const report = reportOf([
    one({ findings: [warning("soon full", "buy a disk")], status: "warning" }),
    one({ check: "b", findings: [problem("it is\u001b[2J away", "start b")], status: "problem" }),
    one({ check: "c", status: "skipped", seen: "needs b, which gave no answer" }),
  ]);
  assert.match(report, /^PROBLEM +b: it is\\u\{1b\}\[2J away\n +mend: start b\n\nwarning +a: soon full/);
  assert.match(report, /Not looked at: c \(needs b/);
});

test("a topic whose partitions lack replicas or leaders names the brokers that are away", () => {
  const partition = (partitionId: number, leader: number, isr: readonly number[]) => ({
    ...{ partitionId, leader, isr },
    replicas: [1, 2, 3],
  });
  assert.deepEqual(replicasOf({ name: "t", partitions: [partition(0, 1, [1, 2, 3])] }), []);
  const findings = replicasOf({
    name: "t",
    partitions: [partition(0, 1, [1, 3]), partition(1, -1, []), partition(2, 1, [1, 2, 3])],
  });
  assert.deepEqual(
    findings.map(({ severity, what }) => `${severity}: ${what}`),
    [
      "problem: topic t: partitions 1 have no leader",
      "warning: topic t: partitions 0 lack replicas in sync (ISR)",
    ],
  );
  assert.match(findings[0]?.mend ?? "", /brokers with the ids 1, 2, 3/);
});

test("connections warn at four fifths and are a problem at the end", () => {
  const severities = (used: number) => connectionsOf({ used, most: 100 }).map(({ severity }) => severity);
  assert.deepEqual([severities(79), severities(80), severities(95)], [[], ["warning"], ["problem"]]);
});

test("a disk warns before it is full, small or large, and where its inodes are used up", () => {
  const gib = 1024 ** 3;
  const severities = (freeBytes: number, sizeBytes: number, freeFiles = 1e6) =>
    roomFindings({ path: "/", device: 1, freeBytes, sizeBytes, freeFiles }).map(({ severity }) => severity);
  assert.deepEqual(severities(50 * gib, 250 * gib), []);
  assert.deepEqual(severities(20 * gib, 250 * gib), ["warning"]);
  assert.deepEqual(severities(4 * gib, 20 * gib), ["warning"]);
  assert.deepEqual(severities(0.5 * gib, 20 * gib), ["problem"]);
  assert.deepEqual(severities(50 * gib, 250 * gib, 10), ["problem"]);
});

test("a certificate that ended is a problem, one that will within a month a warning", () => {
  const now = new Date("2026-01-15T00:00:00Z");
  const told = (validTo: string) =>
    certificateFindings("host", { validTo: new Date(validTo), distrust: undefined }, now).map(
      ({ what }) => what,
    );
  assert.deepEqual(told("2026-06-01"), []);
  assert.deepEqual(told("2026-01-20"), ["the certificate of host ends in 5 days, on 2026-01-20"]);
  assert.deepEqual(told("2026-01-14"), ["the certificate of host ended on 2026-01-14"]);
});
