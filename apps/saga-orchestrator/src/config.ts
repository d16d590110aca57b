import { defaultShards } from "@deeplens/contracts";
import {
  type ConfigRule,
  callSettings,
  controlDatabaseSettings,
  kafkaSettings,
  port,
  positive,
  processSettings,
} from "@deeplens/service";
import { z } from "zod";
import { defaultSettings } from "./saga/settings.ts";

const milliseconds = (fallback: number) => z.coerce.number().int().min(1).default(fallback);

/** The orchestrator's environment; docs/configuration.md says what each variable means. */
export const settings = {
  ...processSettings,
  ...kafkaSettings,
  ...controlDatabaseSettings,
  ...callSettings,
  DEEPLENS_MASTER_KEY: z.string().min(1),
  DEEPLENS_MASTER_KEY_FILE: z.string().optional(),
  API_HOST: z.string().default("127.0.0.1"),
  API_PORT: port.default(8090),
  API_TOKEN: z.string().min(24, "must have at least 24 characters"),
  SHARDS: positive.max(256).default(defaultShards),
  STEP_ATTEMPTS: positive.default(defaultSettings.attempts),
  BACK_OFF_MS: milliseconds(defaultSettings.backOffMs),
  BACK_OFF_MAX_MS: milliseconds(defaultSettings.backOffMaxMs),
  WAIT_DEADLINE_MS: milliseconds(defaultSettings.waitMs),
  WORK_DEADLINE_MS: milliseconds(defaultSettings.workMs),
  SETTLE_MS: milliseconds(defaultSettings.settleMs),
  REMOVAL_GRACE_MS: milliseconds(defaultSettings.graceMs),
  ROTATION_OVERLAP_MS: milliseconds(defaultSettings.overlapMs),
  SLUG_HELD_MS: milliseconds(defaultSettings.slugHeldMs),
  REPLACED_KEPT_MS: milliseconds(defaultSettings.replacedKeptMs),
  RETENTION_DAYS: positive.default(90),
  DROP_OFF_HOURS: positive.default(24),
  // How long the shards of an orchestrator that fell silent wait for another; Kafka takes 6 s to 30 min unless told.
  GROUP_SESSION_MS: milliseconds(30_000),
  RECORDS_AT_ONCE: positive.default(500),
  HEALTH_EVERY_MS: z.coerce.number().int().min(1_000).default(900_000),
};

export type Config = z.infer<z.ZodObject<typeof settings>>;

/**
 * What a worker asked for may land until its longest call is over and its handler has settled: a slug that is free before
 * that is given to the next tenant with it (PROTOCOL.md 14).
 */
export const settleRule: ConfigRule<Config> = ({ SETTLE_MS, LONGEST_CALL_MS }) =>
  SETTLE_MS > 2 * LONGEST_CALL_MS
    ? []
    : [
        `SETTLE_MS: must be more than ${2 * LONGEST_CALL_MS}, twice LONGEST_CALL_MS: a worker's longest call, and as long again for its handler to settle`,
      ];
