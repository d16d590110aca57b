import { readFileSync } from "node:fs";
import { join } from "node:path";
import {
  type AgentSettings,
  agentBackupsFolder,
  agentFiles,
  agentFilesFolder,
  agentPort,
  agentSettingsSchema,
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
  readonly files: { readonly token: string; readonly pgpass: string; readonly vectorsApiKey: string };
  readonly settings: AgentSettings;
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
    },
    settings: readSettings(file(agentFiles.settings)),
  };
};

const readSettings = (path: string): AgentSettings => {
  const problems: string[] = [];
  try {
    const parsed = agentSettingsSchema.safeParse(JSON.parse(readFileSync(path, "utf8")));
    if (parsed.success) {
      checkSchedule(parsed.data);
      return parsed.data;
    }
    problems.push(...parsed.error.issues.map((issue) => `${issue.path.join(".")}: ${issue.message}`));
  } catch (error) {
    problems.push((error as Error).message);
  }
  process.stderr.write(`${path} is wrong:\n${problems.map((problem) => `  ${problem}`).join("\n")}\n`);
  process.exit(configurationExitCode);
};
