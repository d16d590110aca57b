import type { TenantId } from "@deeplens/contracts";
import { randomSecret } from "../random-secret.ts";
import { type SecretStore, secretReference } from "../secret-store.ts";
import { type MemoryFences, memoryFences } from "./memory-fences.ts";

export interface MemorySecrets extends SecretStore {
  /** What is stored, by `<tenant id>/<purpose>`. */
  readonly values: ReadonlyMap<string, string>;
}

/** A secret store in memory that behaves as the one on Postgres. It survives a test's crashes, as that one does. */
export const memorySecrets = (fences: MemoryFences = memoryFences()): MemorySecrets => {
  const values = new Map<string, string>();
  const keyOf = (tenantId: TenantId, purpose: string): string => `${tenantId}/${purpose}`;
  return {
    values,
    of: (tenantId, check) => ({
      ensure: async (purpose, make = randomSecret) => {
        const key = keyOf(tenantId, purpose);
        const stored = values.get(key);
        if (stored === undefined) fences.hold(check);
        const value = stored ?? make();
        values.set(key, value);
        return { reference: secretReference(tenantId, purpose, 1), value };
      },
      read: async (purpose) => values.get(keyOf(tenantId, purpose)),
      remove: async (purpose) => {
        fences.hold(check);
        values.delete(keyOf(tenantId, purpose));
      },
    }),
  };
};
