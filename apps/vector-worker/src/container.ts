import type { StepContext } from "@deeplens/worker";
import { type QdrantAccess, waitUntilReady } from "./qdrant.ts";
import type { TenantQdrant, VectorServices } from "./tenant-qdrant.ts";

/** @throws ImageMissingError */
export const imageOf = async (
  { engine, image }: VectorServices,
  signal: AbortSignal,
): Promise<{ user: string }> => {
  const found = await engine.image(image, { signal });
  if (found === undefined) throw new ImageMissingError(image);
  return found;
};

/** Time can help: an operator pulls or builds it. */
class ImageMissingError extends Error {
  readonly code = "image-missing";
  constructor(image: string) {
    super(
      `the engine has no image ${image}: pull or build it (\`npm start\` does), or correct QDRANT_IMAGE; no tenant gets its vectors before`,
    );
    this.name = "ImageMissingError";
  }
}

/** What opens it: its key, and while that is new the one before (Qdrant's `alt_api_key`, made for that). */
export interface Keys {
  readonly apiKey: string;
  readonly older?: string;
}

/**
 * Qdrant reads /qdrant/config/local.yaml after its other files, whatever RUN_MODE is; only QDRANT__ variables go above
 * it. JSON's form of a string is YAML's too.
 */
export const keyFile = ({ apiKey, older }: Keys, user: string) => {
  const path = "/qdrant/config/local.yaml";
  const also = older === undefined ? "" : `  alt_api_key: ${JSON.stringify(older)}\n`;
  const content = `service:\n  api_key: ${JSON.stringify(apiKey)}\n${also}`;
  const numeric = /^(\d+)(?::(\d+))?$/.exec(user);
  if (user === "" || user === "root") return { path, content, mode: 0o400 };
  // A name can't be mapped to a number from outside: then every process of the container (there is one) may read it.
  if (numeric === null) return { path, content, mode: 0o444 };
  const uid = Number(numeric[1]);
  return { path, content, mode: 0o400, owner: { uid, gid: Number(numeric[2] ?? uid) } };
};

/** Waits until the container that was started answers. @throws with its last words where it ended */
export const waitForQdrant = async (
  { engine }: VectorServices,
  qdrant: TenantQdrant,
  context: StepContext,
  access: QdrantAccess,
): Promise<void> => {
  const stillThere = async (signal: AbortSignal): Promise<void> => {
    const sight = await engine.container(qdrant.container, { signal });
    if (sight?.state === "running") return;
    const log =
      sight === undefined ? "it is gone" : await engine.logs(qdrant.container, { signal, lines: 5 });
    throw new Error(`container ${qdrant.container} ended before it was ready: ${log.trim()}`);
  };
  await context.call("wait for qdrant", (signal) =>
    waitUntilReady(access.url, { signal, stillThere: () => stillThere(signal) }),
  );
};
