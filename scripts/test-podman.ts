/** `npm run test:podman`: the tests of what runs containers, on a Podman of their own in place of Docker. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { startOwnPodman } from "../libs/containers/src/testing/own-podman.ts";
import { task } from "./bootstrap/task.mjs";
import { passOn } from "./podman/docker-services.ts";
import { succeeds } from "./stack/command.ts";
import { ensureEngine, installPackages } from "./stack/engine.ts";
import { orTell } from "./stack/failure.ts";
import { readOptions, UsageError } from "./stack/options.ts";
import { projectRoot } from "./stack/project-root.ts";
import { machineLogs, stateFolder } from "./stack/state-folder.ts";
import { closingLine, runTests } from "./testing/run-tests.ts";
import { findTests } from "./testing/test-files.ts";

const withContainers = ["libs/containers/src/docker-engine", "apps/vector-worker/", "apps/backup-worker/"];

await orTell(async () => {
  const options = readOptions(process.argv.slice(2), {
    usage: "npm run test:podman",
    example: "npm run test:podman -- apps/vector-worker/src/life",
    installation: "deeplens-test",
    words: "parts of test files' paths; without any: containers, vectors and backups",
  });
  const words = options.words.length === 0 ? withContainers : options.words;
  const files = findTests(projectRoot, words).services;
  if (files.length === 0) throw new UsageError(`No test with services has "${words.join('" or "')}" in it.`);
  if (process.getuid?.() !== 0) throw new UsageError("Podman is tried as operators run it here: as root.");

  await ensureEngine();
  if (!(await succeeds("podman", ["--version"])))
    await installPackages(["podman", "netavark", "aardvark-dns", "crun", "catatonit"]);
  const own = await startOwnPodman();
  for (const signal of ["SIGINT", "SIGTERM"] as const)
    process.once(signal, () => void own.remove().finally(() => process.exit(130)));
  let stopPassing = (): void => {};
  try {
    console.log(`Podman ${await own.podman("version", "--format", "{{.Server.Version}}")} at ${own.host}`);
    await task("copying images into Podman", { log: join(machineLogs(), "podman-images.log") }, async () => {
      await own.take("debian:bookworm-slim");
      // The library's tests need nothing of the installation.
      if (files.every((file) => file.startsWith("libs/containers/"))) return;
      const { images, network, tenantDb, redis } = readStack(options.installation);
      await own.take(images.qdrant);
      await own.take(images.backup);
      stopPassing = await passOn(own, network, images.backup, [
        { name: "postgres", port: 5432, publishedPort: tenantDb.port },
        { name: "redis", port: 6379, publishedPort: redis.port },
      ]);
    });
    process.env.DEEPLENS_STACK_FILE = stateFolder(options.installation).stackFile;
    process.env.DOCKER_HOST = own.host;
    const counts = await runTests(projectRoot, files, { concurrency: 2, timeoutMs: 20 * 60_000 });
    console.log(`\n${closingLine(counts)}`);
    return counts.failed === 0 && counts.passed > 0 ? 0 : 1;
  } finally {
    stopPassing();
    await own.remove();
  }
});

interface Stack {
  readonly network: string;
  readonly images: { readonly qdrant: string; readonly backup: string };
  readonly tenantDb: { readonly port: number };
  readonly redis: { readonly port: number };
}

function readStack(installation: string): Stack {
  try {
    return JSON.parse(readFileSync(stateFolder(installation).stackFile, "utf8")) as Stack;
  } catch {
    throw new UsageError(
      `These tests need the services of the installation ${installation}, which is not up: npm test -- --keep libs/containers`,
    );
  }
}
