import { directRunner, memoised } from "./machine/advance.ts";
import { buildMachine, machineVersion } from "./machine/build.ts";
import type { SagaTable } from "./machine/table.ts";
import type { SagaKind } from "./saga/batch.ts";

export { provisioning, type SagaTable } from "./machine/table.ts";

/** A kind of saga from its table of steps: its machine, run as a pure function, each transition computed once. */
export const sagaKind = (kind: string, table: SagaTable): SagaKind => ({
  kind,
  table,
  machineVersion,
  runner: memoised(directRunner(buildMachine(kind, table))),
});
