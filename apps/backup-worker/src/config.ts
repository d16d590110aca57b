import { parseEngineAddress } from "@deeplens/containers";
import { port, positive } from "@deeplens/service";
import { workerSettings } from "@deeplens/worker";
import { z } from "zod";
import type { BucketAddress } from "./copies/bucket.ts";
import { defaultHabits } from "./tenant-backup.ts";

const parses =
  (parse: (text: string) => unknown) =>
  (text: string): boolean => {
    try {
      parse(text);
      return true;
    } catch {
      return false;
    }
  };

/** The environment of this process. */
export const backupSettings = {
  ...workerSettings,
  DOCKER_HOST: z
    .string()
    .default("unix:///var/run/docker.sock")
    .refine(parses(parseEngineAddress), "must be unix:///path/to/socket or tcp://host:port"),
  BACKUP_IMAGE: z.string().min(1),
  /** How this process reaches an agent: by name in the installation's network, or by a port published on 127.0.0.1. */
  BACKUP_REACH: z.enum(["network", "published"]).default("network"),
  BACKUP_TIME_ZONE: z
    .string()
    .default("UTC")
    .refine(
      parses((timeZone) => new Intl.DateTimeFormat("en", { timeZone })),
      "must be a time zone's name, Europe/Berlin say",
    ),
  /** What a tenant is backed up by that was told nothing else. */
  BACKUP_SCHEDULE: z
    .string()
    .default(defaultHabits.schedule)
    .refine((text) => text.trim().split(/\s+/).length === 5, "must be cron's five fields"),
  BACKUP_RETENTION_DAYS: positive.default(defaultHabits.retentionDays),
  /** Each tenant's backups begin at a moment of its own within so many minutes. */
  BACKUP_SPREAD_MINUTES: z.coerce.number().int().min(0).max(720).default(60),
  /** Every so many days a tenant's newest backup is restored for a trial. */
  BACKUP_DRILL_DAYS: positive.default(defaultHabits.drillDays),
  /** A bucket of the installation's own for a copy of every backup: at Amazon, or at whatever speaks S3. */
  BACKUP_BUCKET: z.string().min(3).optional(),
  BACKUP_BUCKET_ENDPOINT: z.url({ protocol: /^https?$/ }).optional(),
  BACKUP_BUCKET_REGION: z.string().min(1).default("us-east-1"),
  BACKUP_BUCKET_PATH_STYLE: z.enum(["true", "false"]).default("false"),
  BACKUP_BUCKET_ACCESS_KEY: z.string().min(1).optional(),
  BACKUP_BUCKET_SECRET_KEY: z.string().min(1).optional(),
  /** How often it is looked what there is to copy. */
  BACKUP_COPY_MINUTES: positive.default(5),
  /** The tenants' Redis, as the agents see it in the installation's network. */
  REDIS_HOST: z.string().min(1),
  REDIS_PORT: port.min(1).default(6379),
  /** The tenants' Postgres, as the agents see it in the installation's network. */
  TENANT_DB_HOST: z.string().min(1),
  TENANT_DB_PORT: port.min(1).default(5432),
};

export type BackupConfig = z.infer<z.ZodObject<typeof backupSettings>>;

/** Where a bucket is named, its keys are too. */
export const bucketRule = (config: BackupConfig): readonly string[] =>
  config.BACKUP_BUCKET === undefined
    ? []
    : (["BACKUP_BUCKET_ACCESS_KEY", "BACKUP_BUCKET_SECRET_KEY"] as const)
        .filter((name) => config[name] === undefined)
        .map((name) => `${name}: is missing, and BACKUP_BUCKET is set`);

/** The backup bucket as the configuration says; undefined where there is none. */
export const bucketAddressOf = (config: BackupConfig): BucketAddress | undefined =>
  config.BACKUP_BUCKET === undefined
    ? undefined
    : {
        bucket: config.BACKUP_BUCKET,
        endpoint: config.BACKUP_BUCKET_ENDPOINT,
        region: config.BACKUP_BUCKET_REGION,
        pathStyle: config.BACKUP_BUCKET_PATH_STYLE === "true",
        accessKey: config.BACKUP_BUCKET_ACCESS_KEY ?? "",
        secretKey: config.BACKUP_BUCKET_SECRET_KEY ?? "",
      };
