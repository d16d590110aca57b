import { type Login, otherLogin, type TenantId } from "@deeplens/contracts";
import { DropOffError, type DropOffs } from "../drop-off.ts";
import { randomSecret } from "../random-secret.ts";
import { type SecretStore, type StoredSecret, secretReference } from "../secret-store.ts";
import { memoryDropOffs } from "./memory-drop-offs.ts";
import { type MemoryFences, memoryFences } from "./memory-fences.ts";

export interface MemorySecrets extends SecretStore {
  /** What is stored, by `<tenant id>/<purpose>`. */
  readonly values: ReadonlyMap<string, string>;
  readonly dropOffs: DropOffs;
}

interface Version {
  readonly version: number;
  readonly value: string;
  readonly madeFor?: string;
  readonly login: Login;
}

/** A secret store in memory that behaves as the one on Postgres. It survives a test's crashes, as that one does. */
export const memorySecrets = (fences: MemoryFences = memoryFences()): MemorySecrets => {
  const values = new Map<string, string>();
  /** The newest first. */
  const stored = new Map<string, readonly Version[]>();
  const keyOf = (tenantId: TenantId, purpose: string): string => `${tenantId}/${purpose}`;
  const dropped = memoryDropOffs();
  const keep = (key: string, versions: readonly Version[]): void => {
    const [newest] = versions;
    if (newest === undefined) {
      values.delete(key);
      stored.delete(key);
      return;
    }
    stored.set(key, versions);
    values.set(key, newest.value);
  };
  return {
    values,
    dropOffs: dropped,
    of: (tenantId, check) => {
      const versionsOf = (purpose: string): readonly Version[] => stored.get(keyOf(tenantId, purpose)) ?? [];
      const storedOf = (purpose: string, { version, value, login }: Version): StoredSecret => ({
        reference: secretReference(tenantId, purpose, version),
        value,
        login,
      });
      const add = (purpose: string, next: Version): StoredSecret => {
        fences.hold(check);
        keep(keyOf(tenantId, purpose), [next, ...versionsOf(purpose)]);
        return storedOf(purpose, next);
      };
      const anew = (
        purpose: string,
        madeFor: string,
        make: () => string,
        loginOf: (before: Login) => Login,
      ): StoredSecret => {
        fences.hold(check);
        const [newest] = versionsOf(purpose);
        if (newest?.madeFor === madeFor) return storedOf(purpose, newest);
        const login = newest === undefined ? 1 : loginOf(newest.login);
        return add(purpose, { version: (newest?.version ?? 0) + 1, value: make(), madeFor, login });
      };
      return {
        ensure: async (purpose, make = randomSecret) => {
          const [newest] = versionsOf(purpose);
          return newest === undefined
            ? add(purpose, { version: 1, value: make(), login: 1 })
            : storedOf(purpose, newest);
        },
        renew: async (purpose, sagaId, make = randomSecret) => anew(purpose, sagaId, make, (login) => login),
        alternate: async (purpose, sagaId, make = randomSecret) => anew(purpose, sagaId, make, otherLogin),
        versions: async (purpose) => versionsOf(purpose).map((version) => storedOf(purpose, version)),
        removeOlder: async (purpose) => {
          fences.hold(check);
          keep(keyOf(tenantId, purpose), versionsOf(purpose).slice(0, 1));
        },
        withdraw: async (purpose, sagaId) => {
          fences.hold(check);
          const [newest, ...older] = versionsOf(purpose);
          if (newest?.madeFor === sagaId && older.length > 0) keep(keyOf(tenantId, purpose), older);
        },
        read: async (purpose) => versionsOf(purpose)[0]?.value,
        offered: async (reference) => dropped.offered(reference, tenantId),
        adopt: async (reference, purpose) => {
          fences.hold(check);
          const taken = dropped.take(reference, tenantId);
          const [newest] = versionsOf(purpose);
          if (taken !== undefined)
            return add(purpose, {
              ...{ version: (newest?.version ?? 0) + 1, value: taken },
              ...{ madeFor: reference, login: 1 },
            });
          if (newest?.madeFor !== reference) throw new DropOffError("spent", reference);
          return storedOf(purpose, newest);
        },
        remove: async (purpose) => {
          fences.hold(check);
          keep(keyOf(tenantId, purpose), []);
        },
      };
    },
  };
};
