import type { Slug } from "@deeplens/contracts";
import type { Arrival, PartStore, StoredReply } from "../part-store.ts";

interface Row {
  fence: number;
  reply: StoredReply | undefined;
  holder: MemoryProcess | undefined;
  holderFence: number;
  holderUntil: Date;
}

/** The step rows and locks of one step, shared by the processes of a test. */
export interface MemoryParts {
  process(): MemoryProcess;
}

export interface MemoryProcess extends PartStore {
  readonly processId: string;
  /** Its locks are free from now on. */
  die(): Promise<void>;
  readonly dead: boolean;
}

export const memoryParts = (longestCallMs = 0): MemoryParts => {
  const rows = new Map<Slug, Row>();
  const locks = new Map<Slug, MemoryProcess>();
  let processes = 0;
  return {
    process: () => {
      let dead = false;
      const self: MemoryProcess = {
        processId: `memory/${++processes}/0`,
        get dead() {
          return dead;
        },
        async die() {
          dead = true;
          for (const [slug, holder] of locks) if (holder === self) locks.delete(slug);
        },
        async arrive(asked) {
          const arrivals = new Map<Slug, Arrival>();
          for (const { slug, fence, endsInMs } of asked) {
            const row = rows.get(slug) ?? {
              ...{ fence, reply: undefined, holder: undefined, holderFence: 0, holderUntil: new Date(0) },
            };
            rows.set(slug, row);
            if (row.fence > fence) {
              arrivals.set(slug, { outcome: "refused" });
              continue;
            }
            if (row.fence < fence) Object.assign(row, { fence, reply: undefined });
            if (row.reply !== undefined) {
              arrivals.set(slug, { outcome: "done", reply: row.reply });
              continue;
            }
            const holder = locks.get(slug) ?? self;
            if (holder === self) {
              locks.set(slug, self);
              Object.assign(row, {
                holder: self,
                holderFence: fence,
                holderUntil: new Date(Date.now() + endsInMs),
              });
              arrivals.set(slug, { outcome: "locked" });
            } else {
              const sameCommand = row.holder !== undefined && row.holderFence === fence;
              const overdue = row.holderUntil.getTime() + longestCallMs < Date.now();
              arrivals.set(slug, { outcome: "busy", sameCommand, overdue });
            }
          }
          return arrivals;
        },
        async finish(finished) {
          for (const { slug, fence, reply, release } of finished) {
            const row = rows.get(slug);
            if (row?.fence === fence) row.reply = reply;
            if (!release) continue;
            if (row?.holder === self) row.holder = undefined;
            if (locks.get(slug) === self) locks.delete(slug);
          }
        },
        holderOf: async (slug) => rows.get(slug)?.holder?.processId,
        async endHolder(slug) {
          const holder = locks.get(slug);
          if (holder === undefined || holder === self) return false;
          await holder.die();
          return true;
        },
      };
      return self;
    },
  };
};
