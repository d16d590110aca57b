import { readFileSync } from "node:fs";
import { join } from "node:path";
import {
  type AgentSettings,
  agentBackupsFolder,
  agentFiles,
  agentFilesFolder,
  agentPort,
  agentSettingsSchema,
  type DataKey,
  parseDataKey,
} from "@deeplens/backup";
import { configurationExitCode, port, processSettings, readConfig } from "@deeplens/service";
import { z } from "zod";
import { checkSchedule } from "./schedule.ts";

export interface AgentConfig {
  readonly logLevel: string;
  readonly host: string;
  readonly port: number;
  /** Where backups are kept. */
  readonly folder: string;
  /** What tools are started with: where they are found. */
  readonly path: string;
  readonly files: Readonly<Record<"token" | "pgpass" | "vectorsApiKey" | "redisPassword", string>>;
  readonly settings: AgentSettings;
  readonly key: DataKey;
}

/** The agent's configuration: few variables, none secret, and the files that were put into its container. */
export const readAgentConfig = (): AgentConfig => {
  const environment = readConfig({
    LOG_LEVEL: processSettings.LOG_LEVEL,
    PATH: z.string().default("/usr/local/bin:/usr/bin:/bin"),
    AGENT_HOST: z.string().default("0.0.0.0"),
    AGENT_PORT: port.default(agentPort),
    AGENT_FILES: z.string().default(agentFilesFolder),
    AGENT_BACKUPS: z.string().default(agentBackupsFolder),
  });
  const file = (name: string): string => join(environment.AGENT_FILES, name);
  return {
    logLevel: environment.LOG_LEVEL,
    host: environment.AGENT_HOST,
    port: environment.AGENT_PORT,
    folder: environment.AGENT_BACKUPS,
    path: environment.PATH,
    files: {
      token: file(agentFiles.token),
      pgpass: file(agentFiles.pgpass),
      vectorsApiKey: file(agentFiles.vectorsApiKey),
      redisPassword: file(agentFiles.redisPassword),
    },
    settings: readOrEnd(file(agentFiles.settings), settingsIn),
    key: readOrEnd(file(agentFiles.dataKey), parseDataKey),
  };
};

const settingsIn = (text: string): AgentSettings => {
  const parsed = agentSettingsSchema.safeParse(JSON.parse(text));
  if (!parsed.success)
    throw new Error(
      parsed.error.issues.map((issue) => `${issue.path.join(".")}: ${issue.message}`).join("\n  "),
    );
  checkSchedule(parsed.data);
  return parsed.data;
};

/** What a file holds; a file that is missing or wrong ends the process, with its name and the reason. */
const readOrEnd = <T>(path: string, parse: (text: string) => T): T => {
  try {
    return parse(readFileSync(path, "utf8"));
  } catch (error) {
    process.stderr.write(`${path} is wrong:\n  ${(error as Error).message}\n`);
    process.exit(configurationExitCode);
  }
};
