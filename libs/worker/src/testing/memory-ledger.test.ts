import { memoryFences } from "@deeplens/secrets/testing";
import { ledgerSuite } from "../ledger.suite.ts";
import { memoryLedger } from "./memory-ledger.ts";

ledgerSuite("memory", async () => {
  const fences = memoryFences();
  return { store: memoryLedger(fences), raise: async (scope) => fences.raise(scope) };
});
