import { secretsSuite } from "../secrets.suite.ts";
import { memoryFences } from "./memory-fences.ts";
import { memorySecrets } from "./memory-secrets.ts";

secretsSuite("memory", async () => {
  const fences = memoryFences();
  return { store: memorySecrets(fences), raise: async (check) => fences.raise(check) };
});
