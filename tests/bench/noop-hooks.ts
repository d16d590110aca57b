/**
 * `node --import noop-hooks.ts <a worker's main.ts>`: the worker's own process with its code, clients and connections,
 * and a handler that does nothing.
 */
import { registerHooks } from "node:module";

const noop = import.meta.url.replace("noop-hooks", "noop-run-worker");

registerHooks({
  resolve: (specifier, context, next) =>
    specifier === "@deeplens/worker" && /-worker\/src\/main\.[jt]s$/.test(context.parentURL ?? "")
      ? { url: noop, shortCircuit: true }
      : next(specifier, context),
});
