import { randomUUID } from "node:crypto";
import type { BackupId, Manifest } from "@deeplens/backup";
import type { StepContext } from "@deeplens/worker";
import { type AgentClient, doJob } from "./agent-client.ts";
import { type Expected, proofProblems } from "./proof.ts";

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
  const id = earliest === undefined ? "first" : `first-after-${earliest.id}`;
  const what = `the first backup of tenant ${expected.slug}`;
  const named = { call: "take the first backup", what };
  const { manifest } = await doJob(client, context, named, id, { kind: "backup" }, "backup");
  // The agent has read it back before it counted; what is left to prove is that it holds all of this tenant.
  const problems = proofProblems({ manifest, problems: [] }, expected);
  if (problems.length === 0) return manifest;
  throw new Error(`${what} (${manifest.id}) is not whole: ${problems.join("; ")}`);
};

const readBack = async (
  client: AgentClient,
  context: StepContext,
  backup: BackupId,
  expected: Expected,
): Promise<{ manifest: Manifest | undefined; problems: readonly string[] }> => {
  // A look is never answered from an earlier one.
  const id = `check-${randomUUID()}`;
  const job = { kind: "check", backup } as const;
  const named = { call: "read an earlier backup back", what: `reading ${backup} back` };
  const { verification } = await doJob(client, context, named, id, job, "check");
  return { manifest: verification.manifest, problems: proofProblems(verification, expected) };
};
