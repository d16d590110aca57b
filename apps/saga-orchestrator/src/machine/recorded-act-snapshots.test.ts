import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { test } from "node:test";
import { statusOf } from "../saga/saga.ts";
import { reachableStates, regionsOf } from "../testing/act-walk.ts";
import { type Box, boxesOf, rowsIn } from "../testing/boxes.ts";
import { actTables } from "./act-table.ts";
import { directRunner, type MachineState } from "./advance.ts";
import { actMachineVersion, buildActMachine } from "./build-act.ts";

/**
 * Every state in which a version of an act's machine could leave a saga, as recorded-snapshots.test.ts has them of the
 * provisioning's. Those that are not there yet are written with RECORD_SNAPSHOTS=1 (a removal's takes minutes;
 * then format them), and none is changed after it is released.
 */
interface Recording {
  readonly kind: string;
  readonly machineVersion: number;
  readonly regions: readonly string[];
  readonly count: number;
  readonly states: readonly Box[];
}

const folder = new URL("./recorded-act-snapshots/", import.meta.url);
const facts = { leftOut: [] };

if (process.env.RECORD_SNAPSHOTS === "1")
  for (const table of actTables) {
    const file = new URL(`${table.kind}-v${actMachineVersion}.json`, folder);
    if (existsSync(file)) continue;
    const regions = regionsOf(table);
    const rows = reachableStates(table, directRunner(buildActMachine(table)), facts)
      .map((state) => regions.map((region) => state[region] ?? ""))
      .sort();
    const states = boxesOf(rows).map((box) => JSON.stringify(box));
    writeFileSync(
      file,
      `{"kind":"${table.kind}","machineVersion":${actMachineVersion},"regions":${JSON.stringify(regions)},"count":${rows.length},"states":[\n${states.join(",\n")}\n]}\n`,
    );
  }

const recordings = readdirSync(folder).map(
  (file) => JSON.parse(readFileSync(new URL(file, folder), "utf8")) as Recording,
);

// Seen to fail: with `halted` renamed throughout build-act.ts, and with a step of the removal renamed.
for (const { kind, machineVersion, regions, count, states } of recordings)
  test(`every state in which version ${machineVersion} could park a saga of kind ${kind} is loaded, and none but an event moves it`, () => {
    const table = actTables.find((one) => one.kind === kind);
    assert.ok(table, `${kind} is stored, so it must be known`);
    const machine = buildActMachine(table);
    const runner = directRunner(machine);
    const rows = rowsIn(states);
    assert.equal(rows.length, count);
    // All of them by the machine would take a minute: every 50th moves, every one has a status.
    for (const [place, row] of rows.entries()) {
      const state: MachineState = Object.fromEntries(regions.map((region, at) => [region, row[at] ?? ""]));
      assert.ok(statusOf(state));
      if (place % 50 !== 0) continue;
      assert.deepEqual(machine.resolveState({ value: state, context: facts }).value, state);
      assert.deepEqual(runner.next(state, facts, { type: "completed.nothing" }), { state, actions: [] });
    }
  });

test("every act has a recording of its version", () => {
  for (const { kind } of actTables)
    assert.ok(
      recordings.some((one) => one.kind === kind && one.machineVersion === actMachineVersion),
      `${kind}: record it with RECORD_SNAPSHOTS=1`,
    );
});
