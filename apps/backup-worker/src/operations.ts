import { randomUUID } from "node:crypto";
import { type BackupId, type Compared, type Manifest, parseBackupId, parseDataKey } from "@deeplens/backup";
import {
  lifeOperations,
  type Operation,
  type OperationCommand,
  type OperationDone,
  type Operations,
  operationDone,
  PermanentStepError,
  type StepContext,
} from "@deeplens/worker";
import { type AgentClient, agentClient, doJob, JobError } from "./agent-client.ts";
import { agentFilesOf } from "./agent-files.ts";
import { bringBack, type Copy, listCopies, readCopysManifest } from "./copies/copies.ts";
import { backupLife } from "./life.ts";
import { type Expected, proofProblems } from "./proof.ts";
import {
  agentUrl,
  type BackupServices,
  keyPurpose,
  type TenantBackup,
  tenantBackup,
  tokenPurpose,
} from "./tenant-backup.ts";
import { waitForAgent } from "./wait-for-agent.ts";

/**
 * What is done with a tenant's backups after their making. Each is a job of its agent under an id that follows from the
 * saga: a try after a crash joins it, and the agent's own work goes on meanwhile.
 *
 * Of a restore: `check-backup` (parameters `backup`, `parts`), a safety backup by `backup-now`, `try-restore` (the
 * database into `into`, which the database part has opened beside the live one; the vectors into collections that are
 * removed again), and `switch-vectors`; `switch-vectors-back` takes the safety backup.
 */
export const backupOperations = (services: BackupServices): Operations => ({
  ...lifeOperations(backupLife(services, refresh(services))),
  refresh: refresh(services),
  "backup-now": async (command, context) => {
    const { client } = await openAgent(services, command, context);
    const { slug } = command.tenant;
    const named = { call: "take a backup", what: `the backup of tenant ${slug}` };
    const id = jobId(command, "backup");
    const beganAt = Date.now();
    const { manifest } = await doJob(client, context, named, id, { kind: "backup" }, "backup");
    const problems = proofProblems({ manifest, problems: [] }, expectedOf(command));
    if (problems.length > 0)
      throw new Error(`the backup ${manifest.id} of tenant ${slug} is not whole: ${problems.join("; ")}`);
    return done(
      { ...outputsOf(manifest), seconds: secondsSince(beganAt) },
      "backup",
      manifest.id,
      "verified",
    );
  },
  "list-backups": async (command, context) => {
    const { client } = await openAgent(services, command, context);
    const listing = await context.call("list backups", (signal) => client.list(signal));
    const copies = await copiesOf(services, command, context);
    const line = (name: string, outcome: string) => ({ kind: "backup", name, outcome });
    const { backups, damaged, lastDrill, nextAt, lastFailure } = listing;
    const copied = new Map(copies?.map((copy) => [copy.id, copy]));
    const here = new Set([...backups, ...damaged].map(({ id }) => id));
    const where = (id: BackupId): string =>
      copies === undefined ? "" : copied.has(id) ? "; here and in the bucket" : "; here only";
    // Newest first; as many as a message has room for.
    const receipt = [
      ...backups.map((manifest) => {
        const { id } = manifest;
        return line(id, `${describe(manifest, lastDrill?.backup === id)}${where(id)}`);
      }),
      ...(copies ?? [])
        .filter(({ id }) => !here.has(id))
        .map(({ id, sizeBytes }) => line(id, `${mebibytes(sizeBytes)}; in the bucket only`)),
    ]
      .toSorted((one, other) => other.name.localeCompare(one.name))
      .slice(0, 200);
    receipt.push(
      ...damaged
        .slice(0, 50)
        .map(({ id, reason }) => line(id, `damaged: ${reason.slice(0, 200)}${where(id)}`)),
    );
    return operationDone(receipt, {
      count: String(backups.length),
      ...(copies !== undefined && { copies: String(copies.length), bucket: services.bucket?.name ?? "" }),
      ...(nextAt !== undefined && { nextAt }),
      ...(lastDrill !== undefined && { lastDrill: lastDrill.backup, provenAt: lastDrill.finishedAt }),
      ...(lastFailure !== undefined && { lastFailure: `${lastFailure.what} at ${lastFailure.at}` }),
    });
  },
  drill: async (command, context) => {
    const { client } = await openAgent(services, command, context);
    const named = { call: "try a backup out", what: `the drill of tenant ${command.tenant.slug}` };
    const backup = command.parameters.backup === undefined ? undefined : wantedBackup(command);
    const job = { kind: "drill", ...(backup !== undefined && { backup }) } as const;
    const { drill } = await doJob(client, context, named, jobId(command, "drill"), job, "drill");
    const outputs = { backup: drill.backup, provenAt: drill.finishedAt, ...countsOf(drill.compared) };
    return done(outputs, "backup", drill.backup, "restored-for-a-trial");
  },
  "check-backup": async (command, context) => {
    const { client } = await openAgent(services, command, context);
    const backup = wantedBackup(command);
    const named = { call: "check a backup", what: `the check of backup ${backup}` };
    const restorable = {
      parts: partsOf(command),
      templateVersion: command.inputs["database.templateVersion"] ?? "",
    };
    const job = { kind: "check", backup, restorable } as const;
    // A look is never answered from an earlier one.
    const check = async () =>
      (await doJob(client, context, named, `check-${randomUUID()}`, job, "check")).verification;
    let verification = await check();
    if (verification.problems.some(({ code }) => lostCodes.has(code))) {
      const copy = (await copiesOf(services, command, context))?.find(({ id }) => id === backup);
      if (copy !== undefined) {
        await fetchCopy(services, command, context, client, backup);
        verification = await check();
      }
    }
    const [problem] = verification.problems;
    if (problem !== undefined)
      throw new PermanentStepError(
        `backup-${problem.code}`,
        `backup ${backup} can't be restored for tenant ${command.tenant.slug}: ${verification.problems.map(({ message }) => message).join("; ")}; nothing was changed`,
      );
    const { manifest } = verification;
    if (manifest === undefined)
      throw new Error(`the agent found nothing wrong with ${backup}, and no manifest`);
    return done(outputsOf(manifest), "backup", backup, "good");
  },
  "try-restore": async (command, context) => {
    const { client } = await openAgent(services, command, context);
    const backup = wantedBackup(command);
    const [parts, compared] = [partsOf(command), [] as Compared[]];
    const asWhat = (what: string) => ({
      call: `restore ${what} beside the live ones`,
      what: `${what} of ${backup}`,
    });
    if (parts !== "vectors") {
      const database = command.inputs["restore-open.database"] ?? command.parameters.into;
      if (database === undefined)
        throw new PermanentStepError(
          "input-missing",
          `the restore of tenant ${command.tenant.slug} lacks the name of the database to restore into`,
        );
      const job = { kind: "restore-database", backup, database } as const;
      const named = asWhat("the tables");
      compared.push(
        (await doJob(client, context, named, jobId(command, "database"), job, "restored")).compared,
      );
    }
    if (parts !== "database") {
      const job = { kind: "try-vectors", backup } as const;
      const named = asWhat("the vectors");
      compared.push(
        (await doJob(client, context, named, jobId(command, "vectors"), job, "restored")).compared,
      );
    }
    return done({ backup, ...countsOf(...compared) }, "backup", backup, "restored-and-compared");
  },
  "switch-vectors": switchVectors(services, wantedBackup),
  "switch-vectors-back": switchVectors(services, safetyBackup),
});

/** What is wrong with a backup that its copy can mend: it is not there, or not whole any more. */
const lostCodes: ReadonlySet<string> = new Set(["unknown", "damaged", "cut-off"]);

/** The copies of a tenant's backups; undefined where the installation has no bucket for them. */
const copiesOf = async (
  { bucket }: BackupServices,
  { tenant }: OperationCommand,
  context: StepContext,
): Promise<readonly Copy[] | undefined> => {
  if (bucket === undefined) return undefined;
  const whose = { installation: context.installation, tenantId: tenant.tenantId };
  const { whole } = await context.call("list copies", (signal) => listCopies(bucket, whose, signal));
  return whole;
};

// A large backup takes its time; what comes in counts only after it was read back.
const fetchMs = 4 * 3_600_000;

/** Brings a backup back from the bucket into the volume, where it is read back before it counts. */
const fetchCopy = async (
  { bucket }: BackupServices,
  command: OperationCommand,
  context: StepContext,
  client: AgentClient,
  backup: BackupId,
): Promise<void> => {
  const { tenantId, slug } = command.tenant;
  const dataKey = await context.secrets.read(keyPurpose);
  if (bucket === undefined || dataKey === undefined)
    throw new PermanentStepError("backup-wrong-key", `tenant ${slug} has no data key for its backups`);
  context.progress(`bringing ${backup} of tenant ${slug} back from ${bucket.name}`);
  const whose = { installation: context.installation, tenantId };
  const manifest = await context.call("read a copy's manifest", (signal) =>
    readCopysManifest(bucket, whose, backup, parseDataKey(dataKey), signal),
  );
  const bring = (signal: AbortSignal) =>
    bringBack(bucket, whose, { manifest, client }, signal).catch((error: Error) => {
      signal.throwIfAborted();
      throw new JobError(`bringing ${backup} of tenant ${slug} back`, error.message);
    });
  await context.call("bring a backup back", bring, { timeoutMs: fetchMs });
  const named = { call: "take a backup in", what: `taking ${backup} in that was brought back` };
  const job = { kind: "take-in", backup } as const;
  await doJob(client, context, named, `take-in-${randomUUID()}`, job, "backup");
};

/** Makes the live vectors what a backup holds; done twice it is done once. */
const switchVectors =
  (services: BackupServices, backupOf: (command: OperationCommand) => BackupId): Operation =>
  async (command, context) => {
    const backup = backupOf(command);
    if (partsOf(command) === "database") return done({ backup }, "backup", backup, "left-out");
    const { client } = await openAgent(services, command, context);
    const named = { call: "switch the vectors", what: `the switch of the vectors to ${backup}` };
    const job = { kind: "switch-vectors", backup } as const;
    const id = jobId(command, `switch-${backup}`);
    const { compared } = await doJob(client, context, named, id, job, "restored");
    return done({ backup, ...countsOf(compared) }, "backup", backup, "live-vectors");
  };

/** The agent's files of the newest secrets and settings, and the agent started anew with them. */
const refresh =
  (services: BackupServices): Operation =>
  async (command, context) => {
    const { engine } = services;
    const backup = tenantBackup(command.tenant, context.installation);
    const { files, token, settings } = await agentFilesOf(services, command, context);
    await context.call("put the agent's files", (signal) =>
      engine.putFiles(backup.container, files, { signal }),
    );
    // A backup that runs is ended, and made up for: its time came after the last good one.
    await context.call("stop the agent", (signal) => engine.stop(backup.container, { signal }));
    await context.call("start the agent", (signal) => engine.start(backup.container, { signal }));
    const { client } = await reach(services, backup, context, token.value);
    await waitForAgent(services, backup, context, client);
    const { schedule, retentionDays, timeZone } = settings;
    const outputs = { schedule, timeZone, retentionDays: String(retentionDays) };
    return done(outputs, "backup-container", backup.container, "refreshed");
  };

/** The tenant's agent, which must be there and ready: a container that was stopped is started. */
const openAgent = async (
  services: BackupServices,
  { tenant }: OperationCommand,
  context: StepContext,
): Promise<{ readonly client: AgentClient }> => {
  const backup = tenantBackup(tenant, context.installation);
  const token = await context.secrets.read(tokenPurpose);
  if (token === undefined)
    throw new PermanentStepError(
      "backup-missing",
      `tenant ${tenant.slug} has no backups: its agent's token is not there`,
    );
  const opened = await reach(services, backup, context, token);
  await context.call("start the agent", (signal) => services.engine.start(backup.container, { signal }));
  await waitForAgent(services, backup, context, opened.client);
  return opened;
};

const reach = async (
  services: BackupServices,
  backup: TenantBackup,
  context: StepContext,
  token: string,
): Promise<{ readonly client: AgentClient }> => {
  const sight = await context.call("see backup-container", (signal) =>
    services.engine.container(backup.container, { signal }),
  );
  if (sight === undefined)
    throw new PermanentStepError(
      "backup-missing",
      `tenant ${backup.slug} has no backups: ${backup.container} is not there`,
    );
  return { client: agentClient(agentUrl(services, backup, sight), token) };
};

/** The same for every try of a step of a saga. */
const jobId = ({ sagaId }: OperationCommand, what: string): string => `${sagaId}-${what}`;

const expectedOf = ({ tenant, inputs }: OperationCommand): Expected => ({
  tenantId: tenant.tenantId,
  slug: tenant.slug,
  database: inputs["database.database"] ?? "",
  collection: undefined,
});

const partsOf = ({ parameters, tenant }: OperationCommand): "all" | "database" | "vectors" => {
  const { parts = "all" } = parameters;
  if (parts === "all" || parts === "database" || parts === "vectors") return parts;
  throw new PermanentStepError(
    "parts-unknown",
    `a restore of tenant ${tenant.slug} can't be of "${parts}": all, database or vectors`,
  );
};

/** The one that the restore itself took before it changed anything. */
const safetyBackup = ({ inputs, tenant }: OperationCommand): BackupId => {
  const backup = parseBackupId(inputs["safety-backup.backup"] ?? "");
  if (backup !== undefined) return backup;
  throw new PermanentStepError(
    "input-missing",
    `the restore of tenant ${tenant.slug} is to be undone and names no safety backup; tenantctl backups ${tenant.slug} lists them: restore the one that was taken last`,
  );
};

const wantedBackup = ({ parameters: { backup = "" }, tenant }: OperationCommand): BackupId => {
  const parsed = parseBackupId(backup);
  if (parsed !== undefined) return parsed;
  throw new PermanentStepError(
    "backup-unknown",
    `"${backup}" is no backup's id; tenantctl backups ${tenant.slug} lists them`,
  );
};

const mebibytes = (bytes: number): string => `${(bytes / 1024 ** 2).toFixed(1)} MiB`;

/** `good, 12.3 MiB, by the schedule, restored for a trial`. */
const describe = (manifest: Manifest, proven: boolean): string => {
  const why = manifest.trigger === "schedule" ? "by the schedule" : "asked for";
  return `good, ${mebibytes(Number(outputsOf(manifest).bytes))}, ${why}${proven ? ", restored for a trial" : ""}`;
};

const outputsOf = (manifest: Manifest): Record<string, string> => ({
  backup: manifest.id,
  bytes: String(manifest.parts.reduce((sum, part) => sum + part.sizeBytes, 0)),
  finishedAt: manifest.finishedAt,
  skewMs: String(manifest.skewMs),
});

const countsOf = (...all: readonly Compared[]): Record<string, string> => {
  const sum = (name: keyof Compared): string => String(all.reduce((total, one) => total + one[name], 0));
  return { tables: sum("tables"), rows: sum("rows"), collections: sum("collections"), points: sum("points") };
};

const secondsSince = (beganAt: number): string => ((Date.now() - beganAt) / 1_000).toFixed(1);

const done = (
  outputs: OperationDone["outputs"],
  kind: string,
  name: string,
  outcome: string,
): OperationDone => operationDone([{ kind, name, outcome }], outputs);
