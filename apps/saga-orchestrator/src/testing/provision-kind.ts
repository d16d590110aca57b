import { directRunner, memoised } from "../machine/advance.ts";
import { buildMachine, machineVersion } from "../machine/build.ts";
import { provisioning } from "../machine/table.ts";
import type { SagaKind } from "../saga/batch.ts";

/** The product's saga, as the orchestrator builds it; one memo for all tests of a process. */
export const provisionKind: SagaKind = {
  kind: "provision",
  table: provisioning,
  machineVersion,
  runner: memoised(directRunner(buildMachine("provision", provisioning))),
};
