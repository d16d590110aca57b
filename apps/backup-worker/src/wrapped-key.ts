import type { TenantId } from "@deeplens/contracts";
import { type MasterKey, seal } from "@deeplens/secrets";
import { type BackupServices, keyPurpose } from "./tenant-backup.ts";

/** What a wrapped data key is sealed as: it opens for the same tenant and use only (docs/backups.md unwraps it so). */
export const wrappedKeyContext = (tenantId: string): readonly string[] => [tenantId, keyPurpose, "manifest"];

/** Wraps tenants' data keys with the master key's current version. */
export const wrappingKeys =
  (masterKey: MasterKey): BackupServices["wrapKey"] =>
  (tenantId: TenantId, key: string) => {
    const { keyVersion, nonce, ciphertext } = seal(masterKey, key, wrappedKeyContext(tenantId));
    return { keyVersion, nonce: nonce.toString("base64"), ciphertext: ciphertext.toString("base64") };
  };
