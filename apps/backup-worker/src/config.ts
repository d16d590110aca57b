import { parseEngineAddress } from "@deeplens/containers";
import { port } from "@deeplens/service";
import { workerSettings } from "@deeplens/worker";
import { z } from "zod";

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
  /** The tenants' Postgres, as the agents see it in the installation's network. */
  TENANT_DB_HOST: z.string().min(1),
  TENANT_DB_PORT: port.min(1).default(5432),
};
