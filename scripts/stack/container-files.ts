/**
 * The scripts that containers run are mounted from the state folder and not from a clone: with a clone's path in it,
 * a second clone would describe other containers and replace the running ones.
 */
import { chmodSync, copyFileSync, mkdirSync } from "node:fs";
import { basename, join } from "node:path";
import type { StateFolder } from "./state-folder.ts";

const mounted = {
  kafka: ["start.sh", "log4j2.properties"],
  postgres: ["start.sh", "init.sql"],
  redis: ["start.sh"],
  minio: ["start.sh"],
  "schema-registry": ["start-official.sh"],
} as const;

/** Copies them there, readable by the containers' users. */
export function placeContainerFiles(root: string, state: StateFolder): void {
  for (const [service, files] of Object.entries(mounted)) {
    const folder = join(state.files, service);
    mkdirSync(folder, { recursive: true });
    chmodSync(folder, 0o755);
    for (const file of files) {
      const target = join(folder, basename(file));
      copyFileSync(join(root, "local", service, file), target);
      chmodSync(target, 0o644);
    }
  }
}
