import type { BackupId, Manifest } from "@deeplens/backup";
import type { StepContext } from "@deeplens/worker";
import { type AgentClient, waitMsLimit } from "./agent-client.ts";
import { type Expected, proofProblems } from "./proof.ts";

const waitMs = Math.min(20_000, waitMsLimit);
const verifyMs = 120_000;

/**
 * The step's proof: a backup that was read back from the disk and holds all of the tenant. One that an earlier try
 * took will do, where it is still good; else one is taken.
 *
 * @throws when the backup fails or can't be read back, with the agent's reason
 */
export const firstBackup = async (
  client: AgentClient,
  context: StepContext,
  expected: Expected,
): Promise<Manifest> => {
  const { backups } = await context.call("list backups", (signal) => client.list(signal));
  const [earliest] = backups;
  if (earliest !== undefined) {
    const { manifest, problems } = await readBack(client, context, earliest.id, expected);
    if (manifest !== undefined && problems.length === 0) return manifest;
    context.log.warn({ backup: earliest.id, problems }, "an earlier backup is not good; taking another");
  }
  const id = await takeOne(client, context, expected.slug);
  const { manifest, problems } = await readBack(client, context, id, expected);
  if (manifest !== undefined && problems.length === 0) return manifest;
  throw new Error(
    `the first backup of tenant ${expected.slug} (${id}) can't be read back: ${problems.join("; ")}`,
  );
};

const takeOne = async (client: AgentClient, context: StepContext, slug: string): Promise<BackupId> => {
  let run = await context.call("take the first backup", (signal) => client.start(waitMs, signal));
  while (run.state === "running") {
    const { id } = run;
    context.progress(`the first backup (${id}) is running`);
    run = await context.call("wait for the first backup", (signal) => client.see(id, waitMs, signal));
  }
  if (run.state === "failed") throw new FirstBackupError(slug, run.error);
  return run.id;
};

/** Time can help: a disk is cleaned, a database answers again. */
class FirstBackupError extends Error {
  readonly code: "disk-full" | "backup-failed";
  constructor(slug: string, reason: string) {
    const full = /ENOSPC|no space left on device/i.test(reason);
    const advice = full ? ". Free space on the disk that holds the engine's volumes" : "";
    super(`the first backup of tenant ${slug} failed: ${reason}${advice}`);
    this.name = "FirstBackupError";
    this.code = full ? "disk-full" : "backup-failed";
  }
}

const readBack = async (
  client: AgentClient,
  context: StepContext,
  id: BackupId,
  expected: Expected,
): Promise<{ manifest: Manifest | undefined; problems: readonly string[] }> => {
  const verification = await context.call(
    "read the first backup back",
    (signal) => client.verify(id, signal),
    {
      timeoutMs: verifyMs,
    },
  );
  return { manifest: verification.manifest, problems: proofProblems(verification, expected) };
};
