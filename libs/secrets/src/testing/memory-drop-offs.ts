import { randomUUID } from "node:crypto";
import type { TenantId } from "@deeplens/contracts";
import { type DropOff, DropOffError, type DropOffs, dropOffReference } from "../drop-off.ts";

export interface MemoryDropOffs extends DropOffs {
  /** The value for a tenant that may take it; undefined where that one took it before. @throws DropOffError */
  offered(reference: string, owner: TenantId): string | undefined;
  /** The value for a tenant that takes it now; undefined where that one took it before. @throws DropOffError */
  take(reference: string, owner: TenantId): string | undefined;
}

/** Drop-offs in memory that behave as those on Postgres. */
export const memoryDropOffs = (): MemoryDropOffs => {
  const rows = new Map<string, DropOff & { readonly value: string }>();
  const waiting = (reference: string) => {
    const row = rows.get(reference);
    return row !== undefined && (row.boundTo !== null || row.expiresAt > new Date()) ? row : undefined;
  };
  return {
    put: async ({ kind, value, lifeMs }) => {
      const reference = dropOffReference(randomUUID());
      const expiresAt = new Date(Date.now() + lifeMs);
      rows.set(reference, { kind, value, expiresAt, boundTo: null });
      return { reference, expiresAt };
    },
    find: async (reference) => {
      const row = waiting(reference);
      return row && { kind: row.kind, expiresAt: row.expiresAt, boundTo: row.boundTo };
    },
    prune: async () => {
      const expired = [...rows].filter(([, row]) => row.boundTo === null && row.expiresAt <= new Date());
      for (const [reference] of expired) rows.delete(reference);
      return expired.length;
    },
    offered: (reference, owner) => {
      const row = waiting(reference);
      if (row === undefined) throw new DropOffError("unknown", reference);
      if (row.boundTo === owner) return undefined;
      if (row.boundTo !== null) throw new DropOffError("of-other-tenant", reference);
      return row.value;
    },
    take(reference, owner) {
      const value = this.offered(reference, owner);
      const row = rows.get(reference);
      if (value !== undefined && row !== undefined)
        rows.set(reference, { ...row, value: "", boundTo: owner });
      return value;
    },
  };
};
