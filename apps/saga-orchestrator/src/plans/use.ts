import type { PartHealth } from "../health/probe-rows.ts";

/** How much of something a thing of the tenant uses now, and of how much, where that is limited. */
export interface Use {
  readonly thing: string;
  readonly measure: "bytes" | "memory-bytes" | "connections";
  readonly value: number;
  readonly limit: number | null;
}

/** What the parts said of their use when they were looked at. */
export const useOf = (parts: readonly PartHealth[]): readonly Use[] =>
  parts.flatMap(({ facts }) =>
    Object.entries(facts).flatMap(([name, text]): Use[] => {
      const [thing = "", fact = ""] = name.split(".");
      const number = (of: string | undefined): number | null =>
        of === undefined || of === "" ? null : Number(of);
      switch (fact) {
        case "usedBytes":
          return [
            { thing, measure: "bytes", value: Number(text), limit: number(facts[`${thing}.quotaBytes`]) },
          ];
        case "memoryBytes":
          return [{ thing, measure: "memory-bytes", value: Number(text), limit: null }];
        case "connections": {
          const [used = "", most] = text.split(" of ");
          return [{ thing, measure: "connections", value: Number(used), limit: number(most) }];
        }
        default:
          return [];
      }
    }),
  );
