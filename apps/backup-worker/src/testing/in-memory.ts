import { aWrappedKey } from "@deeplens/backup/testing/manifests";
import type { BackupServices } from "../tenant-backup.ts";

/** What the step asks Kafka and the master key for, without them. */
export const inMemory: Pick<BackupServices, "wrapKey" | "describeTopic"> = {
  wrapKey: () => aWrappedKey,
  describeTopic: async () => ({ partitions: 3, config: { "retention.ms": "604800000" } }),
};
