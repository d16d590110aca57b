import { parseEngineAddress } from "@deeplens/containers";
import { port, positive } from "@deeplens/service";
import { workerSettings } from "@deeplens/worker";
import { z } from "zod";
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
  /** The tenants' Redis, as the agents see it in the installation's network. */
  REDIS_HOST: z.string().min(1),
  REDIS_PORT: port.min(1).default(6379),
  /** The tenants' Postgres, as the agents see it in the installation's network. */
  TENANT_DB_HOST: z.string().min(1),
  TENANT_DB_PORT: port.min(1).default(5432),
};
