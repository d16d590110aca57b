import { aWrappedKey } from "@deeplens/backup/testing/manifests";
import type { BackupServices } from "../tenant-backup.ts";

/** What the step asks Kafka and the master key for, without them; and no bucket for copies. */
export const inMemory: Pick<BackupServices, "wrapKey" | "describeTopic" | "bucket"> = {
  bucket: undefined,
  wrapKey: () => aWrappedKey,
  describeTopic: async () => ({ partitions: 3, config: { "retention.ms": "604800000" } }),
};
