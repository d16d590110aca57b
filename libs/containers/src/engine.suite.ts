import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { createServer } from "node:net";
import { after, before, describe, test } from "node:test";
import { labelNames } from "@deeplens/contracts";
import Docker from "dockerode";
import { parseEngineAddress } from "./address.ts";
import { dockerEngine } from "./docker-engine.ts";
import type { ContainerSpec } from "./engine.ts";
import { hasCode } from "./errors.ts";
import { limitsInside } from "./testing/limits-inside.ts";

const installation = `vt-${randomBytes(4).toString("hex")}`;
const network = `${installation}-network`;
const image = "debian:bookworm-slim";
const labels = { [labelNames.installation]: installation };

const specOf = (name: string, changes: Partial<ContainerSpec> = {}): ContainerSpec => ({
  name: `${installation}-${name}`,
  image,
  labels: { ...labels, [labelNames.tenantId]: "tenant-a" },
  network,
  command: ["sleep", "60"],
  volumes: [],
  ports: [],
  limits: { memoryBytes: 64 * 1024 ** 2, cpus: 0.25, pids: 32 },
  ...changes,
});

const freePort = async (): Promise<number> => {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === "object" && address !== null ? address.port : 0;
};

/**
 * The behaviour of a ContainerEngine, on a real one that has that image. What only a stranger would do is done by the
 * engine's client.
 *
 * @param host as DOCKER_HOST has it
 */
export const engineSuite = (called: string, host: string): void =>
  void describe(called, () => {
    const engine = dockerEngine({ host });
    const stranger = new Docker(parseEngineAddress(host).options);

    before(async () => {
      await stranger.createNetwork({ Name: network, Labels: labels });
    });

    after(async () => {
      const left = await engine.list(labels);
      for (const { name } of left.containers) await engine.removeContainer(name);
      for (const { name } of left.volumes) await engine.removeVolume(name);
      await stranger.getNetwork(network).remove();
    });

    // Seen to fail with an update that leaves the processors as they were.
    test("limits change without a new start, and memory in use is told", async () => {
      const spec = specOf("new-limits");
      await engine.ensureContainer(spec);
      assert.equal(await engine.memoryInUse(spec.name), 0);
      await engine.start(spec.name);
      const started = await stranger.getContainer(spec.name).inspect();
      await engine.setLimits(spec.name, { memoryBytes: 128 * 1024 ** 2, cpus: 0.5, pids: 64 });
      const wanted = { memoryBytes: 128 * 1024 ** 2, cpus: 0.5, pids: 64 };
      assert.deepEqual(await limitsInside(engine, spec.name), wanted);
      const { State } = await stranger.getContainer(spec.name).inspect();
      assert.equal(State.StartedAt, started.State.StartedAt);
      const nobody = `${installation}-nobody`;
      await assert.rejects(engine.setLimits(nobody, wanted), (error) => hasCode(error, "missing"));
      const used = await engine.memoryInUse(spec.name);
      assert.ok(used > 0 && used < 128 * 1024 ** 2, String(used));
    });

    test("twice is once: a volume and a container are made, started, stopped and removed twice", async () => {
      const volume = { name: `${installation}_twice`, labels };
      const spec = specOf("twice", { volumes: [{ name: volume.name, path: "/data" }] });
      await engine.ensureVolume(volume);
      assert.deepEqual(await engine.ensureVolume(volume), { name: volume.name, labels });
      const first = await engine.ensureContainer(spec);
      const second = await engine.ensureContainer(spec);
      assert.equal(first.id, second.id);
      assert.equal(second.state, "created");
      assert.equal(second.startedOnce, false);
      await engine.start(spec.name);
      await engine.start(spec.name);
      assert.equal((await engine.container(spec.name))?.state, "running");
      await assert.rejects(engine.removeVolume(volume.name), (error) => hasCode(error, "in-use"));
      await engine.stop(spec.name, { graceMs: 0 });
      await engine.stop(spec.name, { graceMs: 0 });
      const stopped = await engine.container(spec.name);
      assert.equal(stopped?.state, "stopped");
      assert.equal(stopped?.startedOnce, true);
      await engine.removeContainer(spec.name);
      await engine.removeContainer(spec.name);
      await engine.removeVolume(volume.name);
      await engine.removeVolume(volume.name);
      assert.equal(await engine.container(spec.name), undefined);
      assert.equal(await engine.volume(volume.name), undefined);
    });

    test("two that make the same container at once get the same one", async () => {
      const spec = specOf("race");
      const made = await Promise.all([1, 2, 3, 4].map(() => engine.ensureContainer(spec)));
      assert.equal(new Set(made.map(({ id }) => id)).size, 1);
      await Promise.all([engine.removeContainer(spec.name), engine.removeContainer(spec.name)]);
      assert.equal(await engine.container(spec.name), undefined);
    });

    test("limits, restart policy, network and published ports are what was asked for, and hold inside", async () => {
      const port = await freePort();
      const spec = specOf("limits", { ports: [{ container: 6333, address: "127.0.0.1", host: port }] });
      const sight = await engine.ensureContainer(spec);
      assert.deepEqual(sight.ports, spec.ports);
      await engine.start(spec.name);
      const info = await stranger.getContainer(spec.name).inspect();
      assert.equal(info.HostConfig.RestartPolicy?.Name, "unless-stopped");
      assert.deepEqual(Object.keys(info.NetworkSettings.Networks), [network]);
      assert.equal(info.HostConfig.Memory, spec.limits.memoryBytes);
      assert.equal(info.HostConfig.NanoCpus, 0.25e9);
      assert.equal(info.HostConfig.PidsLimit, 32);
      assert.deepEqual(info.NetworkSettings.Ports, {
        "6333/tcp": [{ HostIp: "127.0.0.1", HostPort: String(port) }],
      });
      const forks = await engine.exec(spec.name, ["sh", "-c", "for i in $(seq 60); do sleep 2 & done; wait"]);
      assert.match(forks.stderr, /fork/i);
      await engine.removeContainer(spec.name);
    });

    test("files are there before the first start, with their modes and owners, and in nothing that inspect shows", async () => {
      const secret = randomBytes(24).toString("hex");
      const spec = specOf("file", {
        command: ["sh", "-c", "stat -c '%a %u:%g' /etc/deep/*; cat /etc/deep/key; sleep 60"],
      });
      await engine.ensureContainer(spec);
      const file = {
        path: "/etc/deep/key",
        content: `${secret}\n`,
        mode: 0o400,
        owner: { uid: 1000, gid: 1001 },
      };
      const other = { path: "/etc/deep/settings", content: "x".repeat(1_000), mode: 0o444 };
      await engine.putFiles(spec.name, [file, other]);
      await engine.putFiles(spec.name, [file, other]);
      await engine.start(spec.name);
      let written = "";
      for (let tries = 0; !written.includes(secret) && tries < 100; tries++)
        written = await engine.logs(spec.name);
      assert.equal(written, `400 1000:1001\n444 0:0\n${secret}\n`);
      const inspected = JSON.stringify(await stranger.getContainer(spec.name).inspect());
      assert.ok(!inspected.includes(secret));
      await engine.removeContainer(spec.name);
    });

    test("a command gives its output, its exit code, and takes input", async () => {
      const spec = specOf("exec");
      await engine.ensureContainer(spec);
      await engine.start(spec.name);
      assert.deepEqual(await engine.exec(spec.name, ["sh", "-c", "echo out; echo err >&2; exit 3"]), {
        exitCode: 3,
        stdout: "out\n",
        stderr: "err\n",
      });
      const echoed = await engine.exec(spec.name, ["cat"], { input: "through standard input" });
      assert.deepEqual(echoed, { exitCode: 0, stdout: "through standard input", stderr: "" });
      await assert.rejects(engine.exec(spec.name, ["sleep", "30"], { timeoutMs: 300 }), (error) =>
        hasCode(error, "engine-timeout"),
      );
      await engine.removeContainer(spec.name);
    });

    test("a container or volume of somebody else's is refused and stays as it was", async () => {
      const spec = specOf("foreign");
      const volume = {
        name: `${installation}_foreign`,
        labels: { ...labels, [labelNames.tenantId]: "tenant-a" },
      };
      const theirs = { [labelNames.installation]: installation, theirs: "yes" };
      await stranger.createVolume({ Name: volume.name, Labels: theirs });
      const made = await stranger.createContainer({ name: spec.name, Image: image, Labels: theirs });
      const asItWas = await made.inspect();
      await assert.rejects(engine.ensureVolume(volume), (error) => hasCode(error, "owned-by-other"));
      await assert.rejects(engine.ensureContainer(spec), (error) => hasCode(error, "owned-by-other"));
      const now = await made.inspect();
      assert.deepEqual([now.Id, now.State, now.Config], [asItWas.Id, asItWas.State, asItWas.Config]);
      assert.deepEqual((await engine.volume(volume.name))?.labels, theirs);
      await engine.removeContainer(spec.name);
      await engine.removeVolume(volume.name);
    });

    test("a port that another process has, or another container, is port-taken, and the container was never started", async () => {
      const port = await freePort();
      const server = createServer();
      await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
      const published = { ports: [{ container: 6333, address: "127.0.0.1", host: port }] };
      const spec = specOf("port", published);
      try {
        await engine.ensureContainer(spec);
        await assert.rejects(engine.start(spec.name), (error) => hasCode(error, "port-taken"));
        assert.equal((await engine.container(spec.name))?.startedOnce, false);
      } finally {
        await new Promise((resolve) => server.close(resolve));
      }
      await engine.start(spec.name);
      const second = specOf("port-2", published);
      await engine.ensureContainer(second);
      await assert.rejects(engine.start(second.name), (error) => hasCode(error, "port-taken"));
      await engine.removeContainer(second.name);
      await engine.removeContainer(spec.name);
    });

    test("what is missing has a name: image, network, container", async () => {
      assert.equal(await engine.image("deeplens-no-such/image:1"), undefined);
      assert.match((await engine.image(image))?.id ?? "", /^sha256:/);
      await assert.rejects(
        engine.ensureContainer(specOf("no-image", { image: "deeplens-no-such/image:1" })),
        (error) => hasCode(error, "image-missing") && /Pull or build/.test(error.message),
      );
      const lonely = specOf("no-network", { network: `${installation}-nowhere` });
      await assert.rejects(
        engine.ensureContainer(lonely).then(() => engine.start(lonely.name)),
        (error) => hasCode(error, "network-missing"),
      );
      await engine.removeContainer(lonely.name);
      await assert.rejects(engine.start(`${installation}-nobody`), (error) => hasCode(error, "missing"));
    });

    test("things are listed by their labels, and a container by its name alone, never by the beginning of its id", async () => {
      const mine = { ...labels, [labelNames.tenantId]: "tenant-listed" };
      const spec = specOf("listed", { labels: mine });
      const { id } = await engine.ensureContainer(spec);
      await engine.ensureVolume({ name: `${installation}_listed`, labels: mine });
      const listed = await engine.list(mine);
      assert.deepEqual(
        listed.containers.map(({ name }) => name),
        [spec.name],
      );
      assert.deepEqual(listed.volumes, [{ name: `${installation}_listed`, labels: mine }]);
      assert.equal(await engine.container(id), undefined);
      await engine.removeContainer(spec.name);
      await engine.removeVolume(`${installation}_listed`);
      assert.deepEqual(await engine.list(mine), { containers: [], volumes: [] });
    });

    test("an engine that is not there, an answer that is late and a caller that gives up are told apart", async () => {
      await engine.ping();
      const nowhere = dockerEngine({ host: `unix:///tmp/${installation}.sock` });
      await assert.rejects(nowhere.ping(), (error) => hasCode(error, "engine-unreachable"));
      const refused = dockerEngine({ host: `tcp://127.0.0.1:${await freePort()}` });
      await assert.rejects(refused.ping(), (error) => hasCode(error, "engine-unreachable"));
      const silent = createServer(() => {});
      await new Promise<void>((resolve) => silent.listen(0, "127.0.0.1", resolve));
      const address = silent.address();
      const port = typeof address === "object" && address !== null ? address.port : 0;
      const late = dockerEngine({ host: `tcp://127.0.0.1:${port}` });
      await assert.rejects(late.container("x", { timeoutMs: 100 }), (error) =>
        hasCode(error, "engine-timeout"),
      );
      const giveUp = new AbortController();
      const waiting = late.volume("x", { signal: giveUp.signal });
      giveUp.abort(new Error("a newer command came"));
      await assert.rejects(waiting, /a newer command came/);
      silent.close();
    });
  });
