import { lifeOperations, repairBy, rotationOperations, type StepHandler } from "@deeplens/worker";
import { compensate } from "./compensate.ts";
import { vectorLife } from "./life.ts";
import { probeVectors } from "./probe.ts";
import { provision } from "./provision.ts";
import { vectorRotation } from "./rotate.ts";
import type { VectorServices } from "./tenant-qdrant.ts";
import { vectorTier } from "./tier.ts";

/** The step `vectors`. */
export const vectorStep = (services: VectorServices): StepHandler => ({
  provision: (command, context) => provision(services, command, context),
  compensate: (command, context) => compensate(services, command, context),
  operations: {
    ...lifeOperations(vectorLife(services)),
    ...rotationOperations(vectorRotation(services)),
    tier: vectorTier(services),
    repair: repairBy((command, context) => provision(services, command, context)),
    probe: probeVectors(services),
  },
});
