import type { AnyStateMachine } from "xstate";
import type { z } from "zod";
import { actTables } from "../machine/act-table.ts";
import { buildMachine, machineVersion } from "../machine/build.ts";
import { actMachineVersion, buildActMachine } from "../machine/build-act.ts";
import { provisioning } from "../machine/table.ts";
import type { machineSchema } from "./desk-schemas.ts";
import type { HistoryEntry } from "./saga-store.ts";

type Chart = z.infer<typeof machineSchema>;
type Region = Chart["regions"][number];

interface Drawn {
  readonly version: number;
  readonly machine: AnyStateMachine;
  readonly after: ReadonlyMap<string, readonly string[]>;
}

const afterOf = (steps: readonly { step: string; after: readonly string[] }[]) =>
  new Map(steps.map(({ step, after }) => [step, after]));

const drawn: ReadonlyMap<string, Drawn> = new Map([
  [
    "provision",
    {
      version: machineVersion,
      machine: buildMachine("provision", provisioning),
      after: afterOf(provisioning),
    },
  ],
  ...actTables.map(
    (table) =>
      [
        table.kind,
        { version: actMachineVersion, machine: buildActMachine(table), after: afterOf(table.steps) },
      ] as const,
  ),
]);

/**
 * The statechart of a saga, read from the machine that runs it, with the way that this one took; undefined for a kind that
 * this version has no machine for.
 *
 * @param state where it is now, by region
 */
export const chartOf = (
  kind: string,
  state: Readonly<Record<string, string>>,
  history: readonly HistoryEntry[],
  complete: boolean,
): Chart | undefined => {
  const found = drawn.get(kind);
  if (found === undefined) return undefined;
  const { version, machine, after } = found;
  const regions = Object.entries(machine.states).map(([region, node]) =>
    regionOf(region, node, after.get(region) ?? [], state[region] ?? "", history),
  );
  return { kind, version, regions, complete };
};

type Node = AnyStateMachine["root"];

const regionOf = (
  region: string,
  node: Node,
  after: readonly string[],
  current: string,
  history: readonly HistoryEntry[],
): Region => {
  const path = history.flatMap(({ id, at, event, body }) => {
    const moved = (body.moved as Record<string, [string | null, string]> | undefined)?.[region];
    return moved === undefined ? [] : [{ from: moved[0], to: moved[1], at, history: id, event }];
  });
  const visits = (state: string): number => path.filter(({ to }) => to === state).length;
  const taken = (from: string, to: string): number =>
    path.filter((one) => one.from === from && one.to === to).length;
  return {
    region,
    after: [...after],
    initial: initialOf(node),
    current,
    nodes: Object.keys(node.states).map((state) => ({
      state,
      visited: visits(state),
      current: state === current,
    })),
    edges: edgesOf(node).map((edge) => ({ ...edge, taken: taken(edge.from, edge.to) })),
    path,
  };
};

const initialOf = (node: Node): string => node.initial.target?.[0]?.key ?? "";

/** Every move between two states, each event once. */
const edgesOf = (node: Node): { from: string; to: string; event: string | null }[] => {
  const edges = new Map<string, { from: string; to: string; event: string | null }>();
  for (const [from, state] of Object.entries(node.states))
    for (const { eventType, target } of [...[...state.transitions.values()].flat(), ...(state.always ?? [])])
      for (const { key: to } of target ?? []) {
        const edge = { from, to, event: (eventType as string) === "" ? null : wordOf(eventType) };
        edges.set(JSON.stringify(edge), edge);
      }
  return [...edges.values()];
};

// The region says which step: `completed.storage` is `completed` there.
const wordOf = (event: string): string => event.split(".")[0] ?? event;
