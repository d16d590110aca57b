/** `@deeplens/worker` as a worker's main.ts finds it under noop-hooks.ts: all of it, with the handler replaced. */
import { runWorker as runRealWorker, type WorkerOptions } from "@deeplens/worker";
import { noopHandler } from "./noop-handler.ts";

export * from "@deeplens/worker";

export const runWorker = (options: WorkerOptions): Promise<void> =>
  runRealWorker({
    ...options,
    create: async (dependencies) => ({
      ...(await options.create(dependencies)),
      handler: noopHandler(options.step),
    }),
  });
