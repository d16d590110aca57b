import type Docker from "dockerode";
import type { ContainerLimits } from "./engine.ts";

const periodUs = 100_000;

/**
 * Limits a running container by Podman's own call (4.3 and later), for its Docker-compatible one came with 5.1. Podman 4
 * does not keep them: with its next start the container has those of its making.
 */
export const limitOnPodman = (
  docker: Docker,
  container: string,
  { memoryBytes, cpus, pids }: ContainerLimits,
  abortSignal: AbortSignal,
): Promise<unknown> => {
  // As the OCI runtime takes them.
  const resources = {
    memory: { limit: memoryBytes, swap: memoryBytes },
    cpu: { quota: Math.round(cpus * periodUs), period: periodUs },
    pids: { limit: pids },
  };
  return new Promise((resolve, reject) => {
    docker.modem.dial(
      {
        path: `/v4.0.0/libpod/containers/${encodeURIComponent(container)}/update`,
        method: "POST",
        options: resources,
        abortSignal,
        statusCodes: { 200: true, 201: true, 404: "no such container", 500: "server error" },
      },
      (error: unknown, answer: unknown) => (error ? reject(error as Error) : resolve(answer)),
    );
  });
};
