import { type ActTable, actTables } from "./machine/act-table.ts";
import { directRunner, memoised } from "./machine/advance.ts";
import { buildMachine, machineVersion } from "./machine/build.ts";
import { actMachineVersion, buildActMachine } from "./machine/build-act.ts";
import type { SagaTable } from "./machine/table.ts";
import type { ActKind, SagaKind } from "./saga/batch.ts";

export { provisioning, type SagaTable } from "./machine/table.ts";

/** The saga that makes a tenant, from its table of steps: its machine, run as a pure function, each transition computed once. */
export const sagaKind = (kind: string, table: SagaTable): SagaKind => ({
  kind,
  table,
  machineVersion,
  runner: memoised(directRunner(buildMachine(kind, table))),
  acts: new Map(actTables.map((act) => [act.kind, actKind(act)])),
});

/** The same for an act on a tenant that was made. */
const actKind = (act: ActTable): ActKind => ({
  kind: act.kind,
  act,
  machineVersion: actMachineVersion,
  runner: memoised(directRunner(buildActMachine(act))),
});
