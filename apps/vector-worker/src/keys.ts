import { missing, type StepContext } from "@deeplens/worker";
import { imageOf, type Keys, keyFile, waitForQdrant } from "./container.ts";
import { type QdrantAccess, unkept } from "./qdrant.ts";
import { type TenantQdrant, urlOf, type VectorServices } from "./tenant-qdrant.ts";

/** Gives the container these keys, in place of any before; gives where it answers. Starting anew ends every session. */
export const restartWith = async (
  services: VectorServices,
  qdrant: TenantQdrant,
  context: StepContext,
  keys: Keys,
): Promise<string> => {
  const { engine, leases } = services;
  const { user } = await context.call("look for the image", (signal) => imageOf(services, signal));
  const pair = await context.call("look for its ports", () => leases.find(qdrant.holder));
  if (pair === undefined) throw missing({ kind: "qdrant-ports", name: qdrant.container }, qdrant.slug);
  await context.call("stop qdrant-container", (signal) => engine.stop(qdrant.container, { signal }));
  await context.call("put the api key", (signal) =>
    engine.putFiles(qdrant.container, [keyFile(keys, user)], { signal }),
  );
  await context.call("start qdrant-container", (signal) => engine.start(qdrant.container, { signal }));
  const url = urlOf(services, qdrant, pair);
  await waitForQdrant(services, qdrant, context, { url, apiKey: keys.apiKey });
  return url;
};

/** @throws where the key is answered and was to be refused, or the other way round */
export const proveKey = async (
  context: StepContext,
  { url, apiKey }: QdrantAccess,
  expected: "answers" | "refused",
): Promise<void> => {
  const status = await context.call(
    expected === "answers" ? "use the key" : "be refused by Qdrant",
    async (signal) => {
      const headers = { "api-key": apiKey, ...unkept };
      const response = await fetch(`${url}/collections`, { headers, signal });
      await response.arrayBuffer();
      return response.status;
    },
  );
  const isAsExpected = expected === "answers" ? status === 200 : status === 401 || status === 403;
  if (!isAsExpected) throw new Error(`Qdrant answered ${status} to a key that was to be ${expected}`);
};
