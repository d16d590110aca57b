import { lifeOperations, PermanentStepError, type StepHandler } from "@deeplens/worker";
import { bucketLife } from "./bucket-life.ts";
import { compensate } from "./compensate.ts";
import type { AdminAccess } from "./minio-admin/index.ts";
import { provision } from "./provision.ts";

/** The storage step on the MinIO that these credentials reach. */
export const storageHandler = (root: AdminAccess): StepHandler => ({
  provision: (command, context) => {
    if (command.storage.type === "byos")
      throw new PermanentStepError(
        "storage-byos",
        "storage: byos is not in this version; use deeplens or none",
      );
    return provision(root, command, context);
  },
  compensate: (command, context) => compensate(root, command, context),
  operations: lifeOperations(bucketLife(root)),
});
