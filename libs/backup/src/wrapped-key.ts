import type { WrappedKey } from "./manifest.ts";

// A data key as the master key wraps it, in a manifest's words; what seals and unseals it is @deeplens/secrets.

interface Sealed {
  readonly keyVersion: string;
  readonly nonce: Buffer;
  readonly ciphertext: Buffer;
}

/** What a tenant's data key is sealed as: it opens for the same tenant and use only. */
export const wrappedKeyContext = (tenantId: string): readonly string[] => [
  tenantId,
  "backup.key",
  "manifest",
];

export const wrappedKeyOf = ({ keyVersion, nonce, ciphertext }: Sealed): WrappedKey => ({
  keyVersion,
  nonce: nonce.toString("base64"),
  ciphertext: ciphertext.toString("base64"),
});

/** Undoes `wrappedKeyOf`. */
export const sealedKeyOf = ({ keyVersion, nonce, ciphertext }: WrappedKey): Sealed => ({
  keyVersion,
  nonce: Buffer.from(nonce, "base64"),
  ciphertext: Buffer.from(ciphertext, "base64"),
});
