import { readConfig, runProcess } from "@deeplens/service";
import { createLogger } from "@deeplens/telemetry";
import { runWorker } from "@deeplens/worker";
import { storageSettings } from "./config.ts";
import { storageHandler } from "./handler.ts";
import { minioAnswers } from "./minio-admin/index.ts";

const config = readConfig(storageSettings);
const log = createLogger("storage-worker", config.LOG_LEVEL);

await runProcess(log, (signal) =>
  runWorker({
    step: "storage",
    config,
    log,
    signal,
    create: async () => {
      const root = {
        endpoint: config.MINIO_ENDPOINT,
        accessKey: config.MINIO_ROOT_USER,
        secretKey: config.MINIO_ROOT_PASSWORD,
      };
      return {
        handler: storageHandler(root, { plainHttp: config.BYOS_PLAIN_HTTP }),
        checks: { minio: () => minioAnswers(root) },
      };
    },
  }),
);
