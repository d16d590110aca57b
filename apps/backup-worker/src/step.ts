import { repairBy, type StepHandler } from "@deeplens/worker";
import { compensate } from "./compensate.ts";
import { backupOperations } from "./operations.ts";
import { probeBackups } from "./probe.ts";
import { provision } from "./provision.ts";
import type { BackupServices } from "./tenant-backup.ts";

/** The step *backup*. */
export const backupStep = (services: BackupServices): StepHandler => ({
  provision: (command, context) => provision(services, command, context),
  compensate: (command, context) => compensate(services, command, context),
  operations: {
    ...backupOperations(services),
    probe: probeBackups(services),
    repair: repairBy((command, context) => provision(services, command, context)),
  },
});
