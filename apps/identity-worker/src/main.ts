import { readConfig, runProcess } from "@deeplens/service";
import { createLogger } from "@deeplens/telemetry";
import { runWorker } from "@deeplens/worker";
import { identityRule, identitySettings } from "./config.ts";
import { identityHandler } from "./handler.ts";
import { identityApi } from "./identity-api.ts";

const config = readConfig(identitySettings, identityRule);
const log = createLogger("identity-worker", config.LOG_LEVEL);
const healthMs = 2_500;

await runProcess(log, (signal) =>
  runWorker({
    step: "identity",
    config,
    log,
    signal,
    alone: true,
    create: async () => {
      const api = identityApi(config.IDENTITY_API_URL);
      return {
        handler: identityHandler({ api, longestRequestMs: config.IDENTITY_LONGEST_REQUEST_MS }),
        checks: { "identity-api": () => api.health(AbortSignal.timeout(healthMs)) },
      };
    },
  }),
);
