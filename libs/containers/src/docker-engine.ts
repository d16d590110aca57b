import { setTimeout as delay } from "node:timers/promises";
import Docker from "dockerode";
import { parseEngineAddress } from "./address.ts";
import { boundedCalls } from "./bounded.ts";
import { memoryInUseOf, toCreateOptions, toLimits, toSight } from "./docker-spec.ts";
import type { ContainerEngine, ContainerSight, Labels, VolumeSight } from "./engine.ts";
import { ContainerError, statusOf } from "./errors.ts";
import { bears } from "./ownership.ts";
import { limitOnPodman } from "./podman-limits.ts";
import { collect, takeApart } from "./streams.ts";
import { tarOf } from "./tar.ts";

/**
 * Docker (API 1.41 and up), or what speaks its API, at the address that DOCKER_HOST names (`unix:///path` or
 * `tcp://host:port`; Docker's own socket unless told). Nothing is asked of it before the first call.
 *
 * @throws Error naming DOCKER_HOST when that is no address
 */
export const dockerEngine = (options: { host?: string } = {}): ContainerEngine => {
  const address = parseEngineAddress(options.host);
  const docker = new Docker(address.options);
  const bounded = boundedCalls(address.text);

  const seeContainer = async (
    name: string,
    abortSignal: AbortSignal,
  ): Promise<ContainerSight | undefined> => {
    const info = await missingIsUndefined(docker.getContainer(name).inspect({ abortSignal }));
    // The engine also takes an id, or its beginning, for a name.
    return info === undefined || info.Name.replace(/^\//, "") !== name ? undefined : toSight(info);
  };

  const seeVolume = async (name: string, abortSignal: AbortSignal): Promise<VolumeSight | undefined> => {
    const info = await missingIsUndefined(docker.getVolume(name).inspect({ abortSignal }));
    return info && { name: info.Name, labels: info.Labels ?? {} };
  };

  return {
    ping: (call) =>
      bounded("ask whether the engine is there", call, async () => {
        await docker.ping();
      }),

    image: (reference, call) =>
      bounded(`look for image ${reference}`, call, async () => {
        const info = await missingIsUndefined(docker.getImage(reference).inspect());
        return info && { id: info.Id, user: info.Config.User ?? "" };
      }),

    volume: (name, call) =>
      bounded(`look for volume ${name}`, call, (abortSignal) => seeVolume(name, abortSignal)),

    ensureVolume: (spec, call) =>
      bounded(`make volume ${spec.name}`, call, async (abortSignal) => {
        // Creating a volume that exists answers that one, as it is, whoever made it: so look what came of it.
        const wanted = { Name: spec.name, Driver: "local", Labels: { ...spec.labels }, abortSignal };
        await docker.createVolume(wanted);
        return sameOwner("volume", await seeVolume(spec.name, abortSignal), spec);
      }),

    removeVolume: (name, call) =>
      bounded(`remove volume ${name}`, call, async (abortSignal) => {
        await missingIsUndefined(docker.getVolume(name).remove({ abortSignal }));
      }),

    container: (name, call) =>
      bounded(`look for container ${name}`, call, (abortSignal) => seeContainer(name, abortSignal)),

    ensureContainer: (spec, call) =>
      bounded(`make container ${spec.name}`, call, async (abortSignal) => {
        // A name that another call is just taking is refused before its container can be seen: then again.
        for (;;) {
          const made = await nameTakenIsUndefined(
            docker.createContainer({ ...toCreateOptions(spec), abortSignal }),
          );
          const sight = await seeContainer(spec.name, abortSignal);
          if (made !== undefined || sight !== undefined) return sameOwner("container", sight, spec);
          await delay(20, undefined, { signal: abortSignal });
        }
      }),

    putFiles: (container, files, call) =>
      bounded(`put files into container ${container}`, call, async (abortSignal) => {
        await docker.getContainer(container).putArchive(tarOf(files), { path: "/", abortSignal });
      }),

    start: (container, call) =>
      bounded(`start container ${container}`, call, async (abortSignal) => {
        try {
          await docker.getContainer(container).start({ abortSignal });
        } catch (error) {
          if (statusOf(error) !== 304) throw error;
        }
      }),

    stop: (container, call) => {
      const graceMs = call?.graceMs ?? 10_000;
      const timeoutMs = call?.timeoutMs ?? graceMs + 20_000;
      return bounded(`stop container ${container}`, { ...call, timeoutMs }, async (abortSignal) => {
        try {
          await docker.getContainer(container).stop({ t: Math.ceil(graceMs / 1000), abortSignal });
        } catch (error) {
          if (statusOf(error) !== 304 && statusOf(error) !== 404) throw error;
        }
      });
    },

    setLimits: (container, limits, call) =>
      bounded(`limit container ${container}`, call, async (abortSignal) => {
        const options = { ...toLimits(limits), abortSignal };
        const made = await missingIsUndefined(docker.getContainer(container).update(options));
        // There is no such container, or no such call.
        if (made === undefined) await limitOnPodman(docker, container, limits, abortSignal);
      }),

    memoryInUse: (container, call) =>
      bounded(`measure container ${container}`, call, async (abortSignal) => {
        // One shot: without, it waits for a second reading, from which to tell the processor's use.
        const once = { stream: false as const, "one-shot": true, abortSignal };
        return memoryInUseOf(await docker.getContainer(container).stats(once));
      }),

    removeContainer: (name, call) =>
      bounded(`remove container ${name}`, call, async (abortSignal) => {
        try {
          await docker.getContainer(name).remove({ force: true, v: true, abortSignal });
        } catch (error) {
          // 409: another call is removing it; the wait below is for that one.
          if (statusOf(error) !== 404 && statusOf(error) !== 409) throw error;
        }
        while ((await seeContainer(name, abortSignal)) !== undefined)
          await delay(50, undefined, { signal: abortSignal });
      }),

    exec: (container, command, call) =>
      bounded(`run ${command[0]} in container ${container}`, call, async (abortSignal) => {
        const withInput = call?.input !== undefined;
        const exec = await docker.getContainer(container).exec({
          Cmd: [...command],
          AttachStdin: withInput,
          AttachStdout: true,
          AttachStderr: true,
          abortSignal,
        });
        const stream = await exec.start({ hijack: withInput, stdin: withInput, abortSignal });
        if (withInput) stream.end(call.input);
        const { stdout, stderr } = takeApart(await collect(stream, abortSignal));
        const { ExitCode } = await exec.inspect({ abortSignal });
        return { exitCode: ExitCode ?? -1, stdout: stdout.toString(), stderr: stderr.toString() };
      }),

    logs: (container, call) =>
      bounded(`read what container ${container} wrote`, call, async (abortSignal) => {
        const frames = await docker.getContainer(container).logs({
          stdout: true,
          stderr: true,
          follow: false,
          tail: call?.lines ?? 50,
          abortSignal,
        });
        const { stdout, stderr } = takeApart(frames);
        return `${stdout}${stderr}`;
      }),

    list: (labels, call) =>
      bounded("list containers and volumes", call, async (abortSignal) => {
        const filters = {
          label: Object.entries(labels).map(([name, value]) => `${name}=${value}`),
        };
        const volumeQuery = { filters: JSON.stringify(filters), abortSignal };
        const [containers, { Volumes }] = await Promise.all([
          docker.listContainers({ all: true, filters, abortSignal }),
          docker.listVolumes(volumeQuery),
        ]);
        const all = {
          containers: containers.map((found) => ({
            name: found.Names[0]?.replace(/^\//, "") ?? found.Id,
            labels: found.Labels ?? {},
          })),
          volumes: (Volumes ?? []).map((found) => ({ name: found.Name, labels: found.Labels ?? {} })),
        };
        // Podman gives the volumes that bear any of the labels, not all of them.
        const bearing = (found: { readonly labels: Labels }): boolean => bears(found.labels, labels);
        return { containers: all.containers.filter(bearing), volumes: all.volumes.filter(bearing) };
      }),
  };
};

const undefinedWhere =
  (said: (error: unknown) => boolean) =>
  async <T>(answer: Promise<T>): Promise<T | undefined> => {
    try {
      return await answer;
    } catch (error) {
      if (said(error)) return undefined;
      throw error;
    }
  };

const missingIsUndefined = undefinedWhere((error) => statusOf(error) === 404);

// Podman says it with a 500.
const nameTakenIsUndefined = undefinedWhere(
  (error) => statusOf(error) === 409 || /name .* is already in use/i.test((error as Error).message),
);

const sameOwner = <Sight extends { labels: Labels }>(
  kind: string,
  sight: Sight | undefined,
  spec: { name: string; labels: Labels },
): Sight => {
  if (sight === undefined)
    throw new ContainerError("missing", `${kind} ${spec.name} went away while it was made`);
  if (!bears(sight.labels, spec.labels))
    throw new ContainerError(
      "owned-by-other",
      `${kind} ${spec.name} exists and bears other labels; it was left untouched. Rename or remove it`,
    );
  return sight;
};
