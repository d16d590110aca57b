import {
  type Life,
  lifeOperations,
  type Operation,
  operationDone,
  PermanentStepError,
  type Rotation,
  repairBy,
  rotationOperations,
  type StepHandler,
} from "@deeplens/worker";
import { bucketLife } from "./bucket-life.ts";
import { bucketRotation } from "./bucket-rotation.ts";
import { bucketTier } from "./bucket-tier.ts";
import { probeByos } from "./byos/look.ts";
import { byosLife, giveUp } from "./byos/operations.ts";
import { isByosRow, type Reach } from "./byos/place.ts";
import { provisionByos } from "./byos/provision.ts";
import { replaceCredentials } from "./byos/replace.ts";
import { compensateBucket } from "./compensate.ts";
import type { AdminAccess } from "./minio-admin/index.ts";
import { probeBucket } from "./probe-bucket.ts";
import { provisionBucket } from "./provision.ts";

/** The storage step: a bucket on the MinIO that these credentials reach, or the tenant's own place. */
export const storageHandler = (root: AdminAccess, reach: Reach): StepHandler => {
  const bucket: Acts = {
    ...{ ...bucketLife(root), ...bucketRotation(root), probe: probeBucket(root), tier: bucketTier(root) },
    ...{
      "replace-credentials": notOwn,
      repair: repairBy((command, context) => provisionBucket(root, command, context)),
    },
  };
  const own: Acts = {
    ...{ ...byosLife(reach), ...notRotatedHere, probe: probeByos(reach), tier: noQuota },
    ...{ "replace-credentials": replaceCredentials(reach), repair: byosLife(reach).resume },
  };
  const act =
    (name: keyof Acts): Operation =>
    (command, context) =>
      (command.storage === "byos" ? own : bucket)[name](command, context);
  return {
    provision: (command, context) =>
      command.storage.type === "byos"
        ? provisionByos(command, command.storage, context, reach)
        : provisionBucket(root, command, context),
    // The ledger says which of them was begun; where it says nothing, nothing was, and that is looked for.
    compensate: async (command, context) => {
      const begun = (await context.ledger.owned()).some(isByosRow);
      const receipt = begun ? [] : await compensateBucket(root, command, context);
      return [...receipt, ...(await giveUp(command.tenant, context))];
    },
    operations: {
      ...lifeOperations({ suspend: act("suspend"), resume: act("resume"), purge: act("purge") }),
      ...rotationOperations({ begin: act("begin"), end: act("end"), undo: act("undo") }),
      probe: act("probe"),
      tier: act("tier"),
      "replace-credentials": act("replace-credentials"),
      repair: act("repair"),
    },
  };
};

interface Acts extends Life, Rotation {
  readonly probe: Operation;
  readonly tier: Operation;
  readonly "replace-credentials": Operation;
  readonly repair: Operation;
}

// What lies in the tenant's own cloud is not limited from here.
const noQuota: Operation = async () => operationDone([]);

const notOwn: Operation = async ({ tenant }) => {
  throw new PermanentStepError(
    "storage-not-byos",
    `tenant ${tenant.slug} has no storage of its own: the keys of its bucket are made here`,
  );
};

// The keys of a tenant's own cloud are its own: it makes them, and drops the new one off (replace-credentials).
const notRotated: Operation = async ({ tenant }) =>
  operationDone([{ kind: "byos-credentials", name: tenant.slug, outcome: "not-rotated-here" }]);
const notRotatedHere: Rotation = { begin: notRotated, end: notRotated, undo: notRotated };
