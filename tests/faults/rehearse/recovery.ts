import assert from "node:assert/strict";
import { tenant } from "./data.ts";
import type { Stage } from "./stage.ts";

/** Has the control database backed up now, as it is every night; gives the backup's id. */
export const backUpControl = async ({ run, name }: Stage): Promise<string> =>
  idIn(await run("docker", "exec", `${name}-control-backup`, "node", "src/control/restore.ts", "now"));

/** Restores a backup of the control database. The fleet must be stopped. */
export const restoreControl = async ({ run, name }: Stage, backup: string): Promise<void> => {
  const tool = ["exec", `${name}-control-backup`, "node", "src/control/restore.ts"] as const;
  await run("docker", ...tool, "list");
  await run("docker", ...tool, backup, "--replace");
};

const idIn = (said: string): string => {
  const [id] = /\d{8}T\d{6}Z-[0-9a-f]{6}/.exec(said) ?? [];
  assert.ok(id !== undefined, said);
  return id;
};

/** Takes a backup of the tenant's; gives its id. */
export const backUpTenant = async ({ tenantctl }: Stage): Promise<string> =>
  idIn(await tenantctl("backup", tenant, "--reason", "a rehearsal"));

const because = ["--yes", "--reason", "a rehearsal"] as const;

/** Makes what the tenant lost again, and fills it from a backup. */
export const repairTenant = async ({ tenantctl }: Stage, backup?: string, part = "all"): Promise<void> => {
  await tenantctl("repair", tenant, ...because);
  if (backup !== undefined) await tenantctl("restore-backup", tenant, backup, "--part", part, ...because);
};
