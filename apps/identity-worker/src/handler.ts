import type { StepHandler } from "@deeplens/worker";
import { compensate } from "./compensate.ts";
import { identityLife } from "./life.ts";
import { probeIdentity } from "./probe.ts";
import { provision } from "./provision.ts";
import type { Identity } from "./settle.ts";

/** The identity step on the Identity API behind this client. */
export const identityHandler = (identity: Identity): StepHandler => ({
  provision: (command, context) => provision(identity, command, context),
  compensate: (command, context) => compensate(identity, command, context),
  operations: { ...identityLife(identity), probe: probeIdentity(identity) },
});
