import {
  type AgentSettings,
  agentFiles,
  agentFilesFolder,
  agentUser,
  newDataKey,
  pgpassText,
} from "@deeplens/backup";
import type { ContainerFile } from "@deeplens/containers";
import { tenantTopicName } from "@deeplens/contracts";
import { PermanentStepError, type StepContext, type Tenant } from "@deeplens/worker";
import { type BackupServices, keyPurpose, tokenPurpose } from "./tenant-backup.ts";

/** Of a command: what earlier steps put out, and what it was told. */
interface Told {
  readonly tenant: Tenant;
  readonly inputs: Readonly<Record<string, string>>;
}

export interface AgentFiles {
  readonly files: readonly ContainerFile[];
  readonly settings: AgentSettings;
  readonly token: { readonly value: string; readonly reference: string };
}

/**
 * Every file that the agent reads, of the newest secrets; those with a secret in them are readable by the agent alone.
 * The agent has credentials of its own, which read only and outlive a suspension; of the vectors' engine, which knows
 * one key, that key.
 *
 * @throws PermanentStepError where an input or a secret of an earlier step is missing
 */
export const agentFilesOf = async (
  services: BackupServices,
  command: Told,
  context: StepContext,
): Promise<AgentFiles> => {
  const { slug } = command.tenant;
  const token = await context.secrets.ensure(tokenPurpose);
  const dataKey = await context.secrets.ensure(keyPurpose, newDataKey);
  const settings = await settingsOf(services, command, context, dataKey.value);
  const file = (name: string, content: string): ContainerFile => ({
    path: `${agentFilesFolder}/${name}`,
    content,
    mode: 0o400,
    owner: agentUser,
  });
  const vectorsKey =
    (await context.secrets.read("vectors.backup-key")) ?? (await secret(context, "vectors.api-key", slug));
  const password = await secret(context, "database.backup", slug);
  return {
    token,
    settings,
    files: [
      file(agentFiles.settings, `${JSON.stringify(settings)}\n`),
      file(agentFiles.token, token.value),
      file(agentFiles.dataKey, dataKey.value),
      // Any database of the server: what is restored lies beside the live one.
      file(agentFiles.pgpass, pgpassText({ ...settings.database, database: "*", password })),
      file(agentFiles.vectorsApiKey, vectorsKey),
      file(agentFiles.redisPassword, await secret(context, "redis.backup", slug)),
    ],
  };
};

const settingsOf = async (
  services: BackupServices,
  command: Told,
  context: StepContext,
  dataKey: string,
): Promise<AgentSettings> => {
  const { tenantId, slug } = command.tenant;
  const { installation } = context;
  const name = tenantTopicName(installation, slug);
  const topic = await context.call("ask Kafka for the topic's configuration", () =>
    services.describeTopic(name),
  );
  return {
    ...{ installation, tenantId, slug },
    wrappedKey: services.wrapKey(tenantId, dataKey),
    database: {
      ...services.databaseServer,
      database: input(command, "database.database"),
      user: input(command, "database.backupRole"),
    },
    vectors: { url: input(command, "vectors.url") },
    redis: {
      ...services.redisServer,
      user: input(command, "database.redisBackupUser"),
      prefix: input(command, "database.redisPrefix"),
    },
    topic: { name, asOf: new Date().toISOString(), ...topic },
    timeZone: services.timeZone,
    ...services.habits,
  };
};

const input = ({ inputs, tenant }: Told, name: string): string => {
  const value = inputs[name];
  if (value !== undefined && value !== "") return value;
  throw new PermanentStepError(
    "input-missing",
    `the command to back up tenant ${tenant.slug} lacks ${name}, which an earlier step puts out; replay the saga`,
  );
};

const secret = async ({ secrets }: StepContext, purpose: string, slug: string): Promise<string> => {
  const value = await secrets.read(purpose);
  if (value !== undefined) return value;
  throw new PermanentStepError(
    "secret-missing",
    `tenant ${slug} has no secret ${purpose}, which an earlier step makes; replay the saga`,
  );
};
