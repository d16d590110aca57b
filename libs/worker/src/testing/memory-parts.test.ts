import { partsSuite } from "../parts.suite.ts";
import { memoryParts } from "./memory-parts.ts";

const parts = memoryParts();
partsSuite("memory", {
  process: async () => {
    const store = parts.process();
    return { store, die: store.die };
  },
});
