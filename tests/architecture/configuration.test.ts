import assert from "node:assert/strict";
import { test } from "node:test";
import { controlBackupSettings } from "../../apps/backup-agent/src/control/config.ts";
import { backupSettings } from "../../apps/backup-worker/src/config.ts";
import { settings as database } from "../../apps/db-worker/src/config.ts";
import { identitySettings } from "../../apps/identity-worker/src/config.ts";
import { settings as orchestrator } from "../../apps/saga-orchestrator/src/config.ts";
import { storageSettings } from "../../apps/storage-worker/src/config.ts";
import { vectorSettings } from "../../apps/vector-worker/src/config.ts";
import {
  callSettings,
  controlDatabaseSettings,
  kafkaSettings,
  processSettings,
} from "../../libs/service/src/index.ts";
import { workerSettings } from "../../libs/worker/src/index.ts";
import { portVariable, type ServiceName, services } from "../../scripts/stack/ports.ts";
import { read, sourceFiles } from "./workspace.ts";

interface Field {
  safeParse(value: unknown): { success: boolean; data?: unknown };
}
type Shape = Readonly<Record<string, Field>>;

const page = read("docs/configuration.md");

/** The rows of a section: variable -> its default as the page says it. */
const documented = (title: string): Record<string, string> => {
  const section = page.split(/^## /m).find((text) => text.startsWith(`${title}\n`));
  assert.ok(section !== undefined, `docs/configuration.md has no section ${title}`);
  const rows = section.matchAll(/^\| `([A-Z_]+)` \| .+ \| (.+?) \|$/gm);
  return Object.fromEntries([...rows].map(([, name = "", fallback = ""]) => [name, fallback]));
};

const inCode = (shape: Shape): Record<string, string> =>
  Object.fromEntries(
    Object.entries(shape).map(([name, field]) => {
      const parsed = field.safeParse(undefined);
      if (!parsed.success) return [name, "required"];
      return [name, parsed.data === undefined ? "none" : `\`${parsed.data}\``];
    }),
  );

const without = (shape: Shape, ...others: Shape[]): Shape =>
  Object.fromEntries(Object.entries(shape).filter(([name]) => !others.some((other) => name in other)));

const everyProcess: Shape = {
  ...processSettings,
  ...kafkaSettings,
  ...controlDatabaseSettings,
  ...callSettings,
  DEEPLENS_MASTER_KEY: orchestrator.DEEPLENS_MASTER_KEY,
  DEEPLENS_MASTER_KEY_FILE: orchestrator.DEEPLENS_MASTER_KEY_FILE,
};

for (const [title, shape] of [
  ["Every process of the fleet", everyProcess],
  ["saga-orchestrator", without(orchestrator, everyProcess)],
  ["Every worker", without(workerSettings, everyProcess)],
  ["db-worker", without(database, workerSettings)],
  ["storage-worker", without(storageSettings, workerSettings)],
  ["vector-worker", without(vectorSettings, workerSettings)],
  ["backup-worker", without(backupSettings, workerSettings)],
  ["identity-worker", without(identitySettings, workerSettings)],
  ["control-backup", without(controlBackupSettings, everyProcess)],
] as const)
  test(`docs/configuration.md has the variables of ${title}, with their defaults`, () => {
    assert.deepEqual(documented(title), inCode(shape));
  });

test("docs/configuration.md has the variables of what reads its own: the agent and the stand-ins", () => {
  const variables = (file: string) =>
    [...read(file).matchAll(/^\s+([A-Z][A-Z_]+): /gm)].map(([, name = ""]) => name);
  for (const [title, files] of [
    ["backup-agent", ["apps/backup-agent/src/config.ts"]],
    ["The stand-ins", ["local/schema-registry/src/config.ts", "local/identity-api/src/config.ts"]],
  ] as const)
    assert.deepEqual(Object.keys(documented(title)).sort(), [...new Set(files.flatMap(variables))].sort());
});

test("docs/configuration.md has the variables of the commands", () => {
  const text = sourceFiles
    .filter((file) => file.startsWith("scripts/") && !file.endsWith(".test.ts"))
    .map(read)
    .join("\n");
  const used = [...text.matchAll(/process\.env\.([A-Z_]+)/g)].map(([, name = ""]) => name);
  const ports = (Object.keys(services) as ServiceName[]).map(portVariable);
  assert.deepEqual(
    Object.keys(documented("The commands (npm start, stop, test, reset, verify)")).sort(),
    [...new Set([...used, ...ports])].sort(),
  );
});
