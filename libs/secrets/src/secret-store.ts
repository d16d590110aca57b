import type { Login, TenantId } from "@deeplens/contracts";

/** A secret of one tenant, by what it is for: `database.owner`, `storage.service-account`, `vectors.api-key`. */
export interface TenantSecrets {
  /**
   * The stored value for this purpose. Where there is none: makes one (32 random bytes as base64url unless told how),
   * stores it and reads it again, so that every try after a crash uses the same one.
   */
  ensure(purpose: string, make?: () => string): Promise<StoredSecret>;
  /**
   * A new version of the secret, made once for that saga: done again, it gives the same one. From then on it is what
   * `read` and `ensure` give; older versions stay until `remove`.
   */
  renew(purpose: string, sagaId: string, make?: () => string): Promise<StoredSecret>;
  /**
   * As `renew`, under the other of the purpose's two logins: where a system lets a user have one password alone, the
   * new version belongs to a second user, and old and new are good together until the old one is ended.
   */
  alternate(purpose: string, sagaId: string, make?: () => string): Promise<StoredSecret>;
  /** Every version that is stored, the newest first. */
  versions(purpose: string): Promise<readonly StoredSecret[]>;
  /** Removes every version but the newest. */
  removeOlder(purpose: string): Promise<void>;
  /** Removes the newest version where it was made anew for that saga; the one before is the newest then. */
  withdraw(purpose: string, sagaId: string): Promise<void>;
  /** The value, or undefined where there is none. */
  read(purpose: string): Promise<string | undefined>;
  /**
   * The value of a dropped-off secret that this tenant may take, which is not done here; undefined where it took it before.
   * @throws DropOffError where there is none at that reference, or it is another tenant's
   */
  offered(reference: string): Promise<string | undefined>;
  /**
   * Takes a dropped-off secret as this tenant's, for this purpose; for ever, and once: a repetition gives what was taken.
   * From then on it is what `read` gives; older versions stay until `removeOlder`.
   * @throws DropOffError where there is none at that reference, or it is another tenant's, or it was removed or replaced since
   */
  adopt(reference: string, purpose: string): Promise<StoredSecret>;
  /** Removes it; a missing one succeeds. Undo calls this last. */
  remove(purpose: string): Promise<void>;
}

export interface StoredSecret {
  /** What may stand in messages and logs in its place: `secret:<tenant id>/<purpose>/<version>`. */
  readonly reference: string;
  readonly value: string;
  /** Which of two users it is the password of; 1 but for what `alternate` made. */
  readonly login: Login;
}

/** The reference of a stored secret. */
export const secretReference = (tenantId: TenantId, purpose: string, version: number): string =>
  `secret:${tenantId}/${purpose}/${version}`;

/** The store of every tenant's secrets, encrypted in Postgres. */
export interface SecretStore {
  /** The secrets of one tenant. `check`, where given, is the fence that each write also checks. */
  of(tenantId: TenantId, check?: FenceCheck): TenantSecrets;
}

/** A condition that a write holds in its own statement: the part's step row still has this fence. */
export interface FenceCheck {
  readonly slug: string;
  readonly step: string;
  readonly fence: number;
}
