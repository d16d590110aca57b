import { wrappedKeyContext, wrappedKeyOf } from "@deeplens/backup";
import { type MasterKey, seal } from "@deeplens/secrets";
import type { BackupServices } from "./tenant-backup.ts";

/** Wraps tenants' data keys with the master key's current version. */
export const wrappingKeys =
  (masterKey: MasterKey): BackupServices["wrapKey"] =>
  (tenantId, key) =>
    wrappedKeyOf(seal(masterKey, key, wrappedKeyContext(tenantId)));
