import { Graph, layout } from "@dagrejs/dagre";

export interface Box {
  readonly id: string;
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

export interface Line {
  readonly from: string;
  readonly to: string;
  readonly points: readonly { readonly x: number; readonly y: number }[];
  readonly text: string;
  /** Where its text goes. */
  readonly label: { readonly x: number; readonly y: number } | undefined;
}

export interface Drawing {
  readonly width: number;
  readonly height: number;
  readonly boxes: readonly Box[];
  readonly lines: readonly Line[];
}

const boxHeight = 34;

/** Places boxes and lines, left to right; a box is as wide as its text. */
export const layOut = (
  nodes: readonly string[],
  edges: readonly { readonly from: string; readonly to: string; readonly label: string }[],
): Drawing => {
  const graph = new Graph({ multigraph: true });
  graph.setGraph({ rankdir: "LR", nodesep: 22, ranksep: 46, edgesep: 14, marginx: 8, marginy: 8 });
  graph.setDefaultEdgeLabel(() => ({}));
  for (const id of nodes) graph.setNode(id, { width: id.length * 8.2 + 24, height: boxHeight });
  for (const { from, to, label } of edges)
    graph.setEdge(from, to, { width: label.length * 6.4, height: 14, labelpos: "c" }, label);
  layout(graph);
  const { width = 0, height = 0 } = graph.graph() as { width?: number; height?: number };
  return {
    width,
    height,
    boxes: nodes.map((id) => ({ id, ...(graph.node(id) as Omit<Box, "id">) })),
    lines: graph.edges().map(({ v, w, name }: { v: string; w: string; name?: string }) => {
      const edge = graph.edge({ v, w, name }) as {
        points: Line["points"];
        x?: number;
        y?: number;
      };
      return {
        from: v,
        to: w,
        points: edge.points,
        text: name ?? "",
        label: edge.x === undefined || edge.y === undefined ? undefined : { x: edge.x, y: edge.y },
      };
    }),
  };
};
