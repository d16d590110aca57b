import { provisioning, type SagaTable, sagaKind } from "@deeplens/saga-orchestrator/saga-kind";

/** The saga that the peers were measured on: three steps in parallel, then one. */
const four: SagaTable = [
  { step: "database", after: [] },
  { step: "storage", after: [] },
  { step: "vectors", after: [] },
  { step: "backup", after: ["database", "storage", "vectors"] },
];

export const sagas = {
  four: sagaKind("provision", four),
  product: sagaKind("provision", provisioning),
} as const;

export type SagaName = keyof typeof sagas;
