import { provisioning, sagaKind } from "../saga-kind.ts";

/** The product's sagas, as the orchestrator builds them; one memo for all tests of a process. */
export const provisionKind = sagaKind("provision", provisioning);
