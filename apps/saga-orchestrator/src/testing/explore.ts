import { invariants } from "./invariants.ts";
import { firstWorld, type MoveKind, moveOn, movesOf } from "./moves.ts";
import type { Budget, World } from "./world.ts";

export interface Exploration {
  readonly states: number;
  readonly moves: number;
  /** Each broken promise with the shortest way to it. */
  readonly broken: readonly string[];
  readonly courses: ReadonlySet<string>;
}

interface Node {
  readonly text: string;
  readonly from: number;
  readonly by: string;
}
interface Edge {
  readonly from: number;
  readonly to: number;
  readonly kind: MoveKind;
}

/**
 * Every order in which everything that may happen to a saga can happen, breadth first, within the budget. A world lives
 * as JSON text between two moves, so nothing can hide in memory. Each move is held against every invariant, and in the
 * end each world against its future: left to itself it comes to an end or to an operator, and from there on to an end.
 */
export const explore = (options: {
  readonly leftOut: readonly string[];
  readonly budget: Budget;
  readonly attempts: number;
}): Exploration => {
  const { attempts } = options;
  const first = firstWorld(options.leftOut, options.budget, attempts);
  const nodes: Node[] = [{ text: JSON.stringify(first.world), from: -1, by: "requested" }];
  const known = new Map([[nodes[0]?.text ?? "", 0]]);
  const edges: Edge[] = [];
  const courses: string[] = [];
  const broken = new Map<string, string>();
  const note = (promise: string, from: number, by: string): void => {
    if (!broken.has(promise)) broken.set(promise, `${promise}: ${[...wayTo(nodes, from), by].join(" > ")}`);
  };
  for (const [promise, holds] of Object.entries(invariants))
    if (!holds({ before: first.world, move: null, after: first.world, sent: first.sent }))
      note(promise, -1, "requested");
  for (let at = 0; at < nodes.length; at += 1) {
    const world = JSON.parse(nodes[at]?.text ?? "") as World;
    courses.push(world.state.course ?? "");
    for (const move of movesOf(world)) {
      const moved = moveOn(world, move, attempts);
      for (const [promise, holds] of Object.entries(invariants))
        if (!holds({ before: world, move, after: moved.world, sent: moved.sent }))
          note(promise, at, move.name);
      const text = JSON.stringify(moved.world);
      let to = known.get(text);
      if (to === undefined) {
        to = nodes.length;
        known.set(text, to);
        nodes.push({ text, from: at, by: move.name });
      }
      edges.push({ from: at, to, kind: move.kind });
    }
  }
  const ended = (at: number): boolean => courses[at] === "ready" || courses[at] === "closed";
  const stuck = (at: number): boolean => courses[at]?.startsWith("stuck") ?? false;
  const byItself = reaching(nodes.length, edges, ["free"], (at) => ended(at) || stuck(at));
  const withHelp = reaching(nodes.length, edges, ["free", "act"], ended);
  for (let at = 0; at < nodes.length; at += 1) {
    if (!byItself[at]) note("left to itself every saga ends, or is stuck", at, "and never ends");
    if (!withHelp[at]) note("with an operator's help every saga ends", at, "and never ends");
  }
  return {
    states: nodes.length,
    moves: edges.length,
    broken: [...broken.values()],
    courses: new Set(courses),
  };
};

const wayTo = (nodes: readonly Node[], at: number): string[] => {
  const way: string[] = [];
  for (let here = at; here >= 0; here = nodes[here]?.from ?? -1) way.unshift(nodes[here]?.by ?? "");
  return way;
};

/** Which worlds can come to a goal by edges of these kinds. */
const reaching = (
  size: number,
  edges: readonly Edge[],
  kinds: readonly MoveKind[],
  goal: (at: number) => boolean,
): boolean[] => {
  const into: number[][] = Array.from({ length: size }, () => []);
  for (const { from, to, kind } of edges) if (kinds.includes(kind)) into[to]?.push(from);
  const reaches = Array.from({ length: size }, (_, at) => goal(at));
  const open = reaches.flatMap((is, at) => (is ? [at] : []));
  for (let at = open.pop(); at !== undefined; at = open.pop())
    for (const before of into[at] ?? [])
      if (!reaches[before]) {
        reaches[before] = true;
        open.push(before);
      }
  return reaches;
};
