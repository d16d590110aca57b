import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import { promisify } from "node:util";
import { stack } from "@deeplens/testing";

const docker = async (...args: string[]): Promise<string> =>
  (await promisify(execFile)("docker", args)).stdout.trim();

/** fake-gcs-server in a container of its own, in memory. It takes every credential: gcs-front.ts stands before it. */
export const fakeGcs = async (): Promise<{ readonly url: string; close(): Promise<void> }> => {
  const { installation, images } = stack();
  if (images.fakeGcs === undefined || images.fakeGcs === "")
    throw new Error(
      `${installation} was brought up without the image fake-gcs; bring it up again with \`npm test\``,
    );
  const name = `${installation}-fake-gcs-${randomBytes(4).toString("hex")}`;
  const about = ["--name", name, "--label", `deeplens.installation=${installation}`];
  await docker("run", "--detach", "--rm", ...about, "--publish", "127.0.0.1::4443", images.fakeGcs);
  const close = async (): Promise<void> => void (await docker("rm", "--force", name));
  try {
    const url = `http://${await docker("port", name, "4443")}`;
    for (let tries = 0; ; tries++) {
      if (await answers(url)) return { url, close };
      if (tries > 100) throw new Error(`fake-gcs-server does not answer at ${url}`);
      await delay(100);
    }
  } catch (error) {
    await close();
    throw error;
  }
};

const answers = (url: string): Promise<boolean> =>
  fetch(`${url}/storage/v1/b?project=none`).then(
    ({ ok }) => ok,
    () => false,
  );
