import type { TenantId } from "@deeplens/contracts";
import { DropOffError, type DropOffs } from "../drop-off.ts";
import { randomSecret } from "../random-secret.ts";
import { type SecretStore, secretReference } from "../secret-store.ts";
import { memoryDropOffs } from "./memory-drop-offs.ts";
import { type MemoryFences, memoryFences } from "./memory-fences.ts";

export interface MemorySecrets extends SecretStore {
  /** What is stored, by `<tenant id>/<purpose>`. */
  readonly values: ReadonlyMap<string, string>;
  readonly dropOffs: DropOffs;
}

/** A secret store in memory that behaves as the one on Postgres. It survives a test's crashes, as that one does. */
export const memorySecrets = (fences: MemoryFences = memoryFences()): MemorySecrets => {
  const values = new Map<string, string>();
  const keyOf = (tenantId: TenantId, purpose: string): string => `${tenantId}/${purpose}`;
  const dropped = memoryDropOffs();
  const versions = new Map<string, { readonly version: number; readonly madeFor: string }>();
  const older = new Map<string, string>();
  const referenceOf = (tenantId: TenantId, purpose: string): string =>
    secretReference(tenantId, purpose, versions.get(keyOf(tenantId, purpose))?.version ?? 1);
  const putNext = (key: string, madeFor: string, value: string): void => {
    const stored = values.get(key);
    versions.set(key, { version: stored === undefined ? 1 : (versions.get(key)?.version ?? 1) + 1, madeFor });
    if (stored !== undefined) older.set(key, stored);
    values.set(key, value);
  };
  return {
    values,
    dropOffs: dropped,
    of: (tenantId, check) => ({
      ensure: async (purpose, make = randomSecret) => {
        const key = keyOf(tenantId, purpose);
        const stored = values.get(key);
        if (stored === undefined) fences.hold(check);
        const value = stored ?? make();
        values.set(key, value);
        return { reference: referenceOf(tenantId, purpose), value };
      },
      renew: async (purpose, sagaId, make = randomSecret) => {
        fences.hold(check);
        const key = keyOf(tenantId, purpose);
        const stored = values.get(key);
        const before = versions.get(key);
        const value = stored === undefined || before?.madeFor !== sagaId ? make() : stored;
        if (value !== stored) putNext(key, sagaId, value);
        return { reference: referenceOf(tenantId, purpose), value };
      },
      readOlder: async (purpose) => older.get(keyOf(tenantId, purpose)),
      removeOlder: async (purpose) => {
        fences.hold(check);
        older.delete(keyOf(tenantId, purpose));
      },
      withdraw: async (purpose, sagaId) => {
        fences.hold(check);
        const key = keyOf(tenantId, purpose);
        const before = older.get(key);
        if (versions.get(key)?.madeFor !== sagaId || before === undefined) return;
        values.set(key, before);
        older.delete(key);
        versions.delete(key);
      },
      read: async (purpose) => values.get(keyOf(tenantId, purpose)),
      offered: async (reference) => dropped.offered(reference, tenantId),
      adopt: async (reference, purpose) => {
        const key = keyOf(tenantId, purpose);
        fences.hold(check);
        const taken = dropped.take(reference, tenantId);
        if (taken !== undefined) putNext(key, reference, taken);
        const value = values.get(key);
        if (value === undefined || versions.get(key)?.madeFor !== reference)
          throw new DropOffError("spent", reference);
        return { reference: referenceOf(tenantId, purpose), value };
      },
      remove: async (purpose) => {
        fences.hold(check);
        values.delete(keyOf(tenantId, purpose));
        versions.delete(keyOf(tenantId, purpose));
        older.delete(keyOf(tenantId, purpose));
      },
    }),
  };
};
