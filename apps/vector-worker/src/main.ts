import { dockerEngine } from "@deeplens/containers";
import { migrate } from "@deeplens/postgres";
import { readConfig, runProcess, waitFor } from "@deeplens/service";
import { createLogger } from "@deeplens/telemetry";
import { runWorker } from "@deeplens/worker";
import { portRangeOf, portRule, vectorSettings } from "./config.ts";
import { postgresPortLeases } from "./port-leases.ts";
import { vectorStep } from "./step.ts";

const config = readConfig(vectorSettings, portRule);
const range = portRangeOf(config);
const log = createLogger("vector-worker", config.LOG_LEVEL);
const engine = dockerEngine({ host: config.DOCKER_HOST });

await runProcess(log, (signal) =>
  runWorker({
    step: "vectors",
    config,
    log,
    signal,
    create: async ({ installation, pool }) => {
      await migrate(pool, "vectors", new URL("../migrations/", import.meta.url));
      await waitFor("the container engine", () => engine.ping({ signal, timeoutMs: 5_000 }), { log, signal });
      return {
        handler: vectorStep({
          engine,
          leases: postgresPortLeases(pool, installation, range),
          image: config.QDRANT_IMAGE,
          reach: config.QDRANT_REACH,
          publishAddress: config.PUBLISH_ADDRESS,
          collection: { name: "images", size: config.VECTOR_SIZE, distance: config.VECTOR_DISTANCE },
        }),
        checks: { "container engine": () => engine.ping({ timeoutMs: 2_500 }) },
      };
    },
  }),
);
