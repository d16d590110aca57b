import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import {
  agentBackupsFolder,
  agentUser,
  type Manifest,
  manifestText,
  parseDataKey,
  signedManifest,
} from "@deeplens/backup";
import { type TenantToBackUp, tenantToBackUp } from "@deeplens/backup/testing";
import { type Slug, tenantIdOf } from "@deeplens/contracts";
import type { Operation, ProvisionCommand, StepHandler, Tenant, UndoCommand } from "@deeplens/worker";
import {
  type MemoryLedger,
  type MemorySecrets,
  memoryLedger,
  memorySecrets,
  type TestContext,
  testContext,
} from "@deeplens/worker/testing";
import { agentClient } from "../agent-client.ts";
import { backupStep } from "../step.ts";
import {
  agentUrl,
  type BackupServices,
  defaultHabits,
  type TenantBackup,
  tenantBackup,
} from "../tenant-backup.ts";
import { inMemory } from "./in-memory.ts";

/** What a test file shares: one database and one Qdrant, which all of its tenants are backed up from. */
export interface Rig {
  readonly source: TenantToBackUp;
  readonly services: BackupServices;
  tenant(changes?: Partial<BackupServices>): TestTenant;
}

/** One tenant, and its ledger and secrets, which survive from one try to the next. */
export interface TestTenant {
  readonly tenant: Tenant;
  readonly backup: TenantBackup;
  readonly command: ProvisionCommand;
  readonly undo: UndoCommand;
  readonly handler: StepHandler;
  readonly ledger: MemoryLedger;
  readonly secrets: MemorySecrets;
  context(): TestContext;
  provision(): ReturnType<StepHandler["provision"]>;
  compensate(): ReturnType<StepHandler["compensate"]>;
  /** What completed steps have put out, for operations. */
  readonly inputs: Record<string, string>;
  /** One of the part's operations, asked by the saga `saga` unless told. */
  act(operation: string, parameters?: Record<string, string>, sagaId?: string): ReturnType<Operation>;
}

export const backupRig = async (after: (work: () => Promise<void>) => void): Promise<Rig> => {
  const source = await tenantToBackUp(after);
  const services: BackupServices = {
    engine: source.engine,
    image: source.image,
    network: source.network,
    reach: "published",
    timeZone: "UTC",
    databaseServer: { host: source.database.host, port: source.database.port },
    redisServer: { host: source.redis.host, port: source.redis.port },
    ...inMemory,
    habits: defaultHabits,
  };
  return {
    source,
    services,
    tenant: (changes) => testTenant(source, { ...services, ...changes }),
  };
};

const testTenant = (source: TenantToBackUp, services: BackupServices): TestTenant => {
  const { installation } = source;
  const slug = `t${randomBytes(4).toString("hex")}` as Slug;
  const tenantId = tenantIdOf("tests", slug);
  const tenant = { tenantId, slug, name: slug };
  const command: ProvisionCommand = {
    tenant,
    tier: "free",
    storage: { type: "none" },
    administrator: { email: "a@example.test", firstName: "A", lastName: "B" },
    inputs: {
      "database.database": source.database.database,
      "database.backupRole": source.database.user,
      "database.redisBackupUser": source.redis.user,
      "database.redisPrefix": source.redis.prefix,
      "database.templateVersion": "0001",
      "vectors.url": source.vectors.url,
      "vectors.collection": "images",
    },
  };
  const inputs = { ...command.inputs };
  const undo: UndoCommand = { tenant, purpose: "compensate", reason: "a test" };
  const handler = withSecretsOf(source, backupStep(services));
  const ledger = memoryLedger();
  const secrets = memorySecrets();
  const context = () => testContext({ step: "backup", tenant, installation, ledger, secrets });
  return {
    ...{ tenant, command, undo, handler, ledger, secrets, context, inputs },
    backup: tenantBackup(tenant, installation),
    provision: () => handler.provision(command, context()),
    compensate: () => handler.compensate(undo, context()),
    act: (operation, parameters = {}, sagaId = "saga") => {
      const run = handler.operations?.[operation] ?? assert.fail(`no operation ${operation}`);
      const { tier } = command;
      return run({ tenant, sagaId, operation, parameters, inputs, tier, storage: "none" }, context());
    },
  };
};

/** The earlier steps have stored their secrets before this one is commanded. */
export const withSecretsOf = (
  { database, redis, vectors }: TenantToBackUp,
  handler: StepHandler,
): StepHandler => ({
  ...handler,
  provision: async (command, context) => {
    await context.secrets.ensure("database.backup", () => database.password);
    await context.secrets.ensure("redis.backup", () => redis.password);
    await context.secrets.ensure("vectors.api-key", () => vectors.apiKey);
    return handler.provision(command, context);
  },
});

/** Asks a tenant's agent, as the worker does. */
export const agentOf = async (
  { services }: Rig,
  { backup, tenant }: Pick<TestTenant, "backup" | "tenant">,
  secrets: MemorySecrets,
) => {
  const sight = await services.engine.container(backup.container);
  if (sight === undefined) throw new Error(`there is no ${backup.container}`);
  const token = secrets.values.get(`${tenant.tenantId}/backup.token`) ?? "";
  const url = agentUrl(services, backup, sight);
  return { url, token, client: agentClient(url, token) };
};

/** Makes a backup another than was taken, as if it had been so from the start: it is signed by the tenant's key. */
export const resign = async (
  { services }: Rig,
  { backup, tenant, secrets }: Pick<TestTenant, "backup" | "tenant" | "secrets">,
  manifest: Manifest,
): Promise<void> => {
  const { mac: _, key, ...content } = manifest;
  const dataKey = parseDataKey(secrets.values.get(`${tenant.tenantId}/backup.key`) ?? "");
  const file = {
    path: `${agentBackupsFolder}/${manifest.id}/manifest.json`,
    content: manifestText(signedManifest(content, dataKey, key.wrapped)),
    mode: 0o600,
    owner: agentUser,
  };
  await services.engine.putFiles(backup.container, [file]);
};
