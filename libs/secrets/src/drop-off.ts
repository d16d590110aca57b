import type { TenantId } from "@deeplens/contracts";

/** A secret that came in before its tenant, without the secret. */
export interface DropOff {
  readonly kind: string;
  readonly expiresAt: Date;
  /** The tenant that took it; null while none did. */
  readonly boundTo: TenantId | null;
}

/** Where secrets come in that belong to no tenant yet. */
export interface DropOffs {
  /** Encrypts and stores it. Its reference may stand in messages; whoever names it first as a tenant's gets it. */
  put(dropped: {
    readonly kind: string;
    readonly value: string;
    readonly by: string;
    /** For how long it waits for its tenant, in ms. */
    readonly lifeMs: number;
  }): Promise<{ readonly reference: string; readonly expiresAt: Date }>;
  /** What is known of it; undefined for one that there never was, or that expired. */
  find(reference: string): Promise<DropOff | undefined>;
  /** Forgets those that expired; gives how many. */
  prune(): Promise<number>;
}

/** Why a tenant can't have a dropped-off secret; no retry helps. */
export class DropOffError extends Error {
  readonly code: "unknown" | "of-other-tenant" | "of-other-kind" | "spent";
  constructor(code: DropOffError["code"], reference: string) {
    super(messages[code](reference));
    this.name = "DropOffError";
    this.code = code;
  }
}

const messages: Readonly<Record<DropOffError["code"], (reference: string) => string>> = {
  unknown: (reference) => `there are no credentials ${reference}: they expired unused, or never were`,
  "of-other-tenant": (reference) => `the credentials ${reference} belong to another tenant`,
  "of-other-kind": (reference) => `the credentials ${reference} are of another provider`,
  spent: (reference) => `the credentials ${reference} were used once, and removed or replaced since`,
};

const scheme = "drop:";

/** The reference of a dropped-off secret. */
export const dropOffReference = (id: string): string => `${scheme}${id}`;

/** The id in such a reference. @throws DropOffError where it is none */
export const dropOffIdOf = (reference: string): string => {
  const id = reference.slice(scheme.length);
  if (!reference.startsWith(scheme) || !/^[0-9a-f-]{36}$/.test(id))
    throw new DropOffError("unknown", reference);
  return id;
};
