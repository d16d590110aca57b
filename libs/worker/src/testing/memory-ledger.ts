import { type MemoryFences, memoryFences } from "@deeplens/secrets/testing";
import type { LedgerEntry, LedgerKey } from "../ledger.ts";
import type { CommandScope, LedgerStore } from "../ledger-store.ts";
import { ownedByOther } from "../resource.ts";

type Row = Omit<LedgerEntry, "intendedMsAgo"> & {
  readonly slug: string;
  readonly step: string;
  readonly doubtful: boolean;
  readonly intendedAtMs: number;
};

export interface MemoryLedger extends LedgerStore {
  /** Every row, of every tenant and step. */
  rows(): readonly Row[];
}

/** A ledger in memory that behaves as the one on Postgres. It survives a test's crashes, as that one does. */
export const memoryLedger = (fences: MemoryFences = memoryFences()): MemoryLedger => {
  const rows = new Map<string, Row>();
  const idOf = (key: LedgerKey): string => `${key.kind} ${key.name}`;
  return {
    rows: () => [...rows.values()],
    // It knows one process, which never follows itself.
    unsettled: async () => [],
    of: (scope: CommandScope) => {
      const own = (key: LedgerKey): Row | undefined => {
        const row = rows.get(idOf(key));
        return row?.owner === scope.tenantId && row.state !== "gone" ? row : undefined;
      };
      return {
        find: async (key) => {
          const row = rows.get(idOf(key));
          return row === undefined ? undefined : entryOf(row);
        },
        intend: async (key, facts = {}) => {
          fences.hold(scope);
          const there = rows.get(idOf(key));
          if (there !== undefined && there.state !== "gone" && there.owner !== scope.tenantId)
            throw ownedByOther(key, scope.slug);
          const { slug, step, tenantId: owner } = scope;
          const { kind, name } = key;
          const before = own(key);
          const row: Row = {
            ...{ kind, name, owner, slug, step },
            state: "intent",
            facts: { ...before?.facts, ...facts },
            ...(before?.mark === undefined ? {} : { mark: before.mark }),
            doubtful: before !== undefined && (before.doubtful || before.state === "intent"),
            intendedAtMs: performance.now(),
          };
          rows.set(idOf(key), row);
          return entryOf(row);
        },
        made: async (key, facts = {}) => {
          fences.hold(scope);
          const row = own(key);
          if (row === undefined) throw new Error(`${idOf(key)} was made without an intent`);
          rows.set(idOf(key), { ...row, state: "made", facts: { ...row.facts, ...facts } });
        },
        gone: async (key) => {
          fences.hold(scope);
          const row = own(key);
          if (row === undefined) return;
          const stays = scope.keepsIntents === true && (row.state === "intent" || row.doubtful);
          rows.set(idOf(key), { ...row, state: stays ? "intent" : "gone" });
        },
        owned: async () =>
          [...rows.values()]
            .filter((row) => row.step === scope.step && own(row) !== undefined)
            .map((row) => entryOf(row)),
        mark: async (sagaId) => {
          fences.hold(scope);
          for (const [id, { mark, ...row }] of rows)
            if (row.step === scope.step && own(row) !== undefined)
              rows.set(id, sagaId === undefined ? row : { ...row, mark: sagaId });
        },
      };
    },
  };
};

const entryOf = ({ kind, name, owner, state, facts, mark, intendedAtMs }: Row): LedgerEntry => ({
  ...{ kind, name, owner, state, facts },
  ...(mark === undefined ? {} : { mark }),
  intendedMsAgo: performance.now() - intendedAtMs,
});
