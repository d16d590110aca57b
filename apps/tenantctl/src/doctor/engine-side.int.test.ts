import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { stackFile } from "@deeplens/testing";
import { containers } from "./checks/containers.ts";
import { engine } from "./checks/engine.ts";
import { network } from "./checks/network.ts";
import { ports } from "./checks/ports.ts";
import { qdrant } from "./checks/qdrant.ts";
import { versions } from "./checks/versions.ts";
import { readPatient } from "./patient.ts";
import { companions, fleet, infrastructure } from "./services.ts";
import {
  atTheEnd,
  docker,
  examined,
  healthy,
  nobodys,
  onlyFinding,
  ownContainer,
  patientWith,
} from "./testing/patients.ts";

// Each check is shown what is really broken, and beside it the same thing well.

const labelled = (installation: string, ...more: readonly string[]): string[] =>
  [`deeplens.installation=${installation}`, ...more].flatMap((label) => ["--label", label]);
const sleeping = ["sleep", "600"] as const;

/** The finding about this container, the stack's missing services left aside. */
const findingAbout = async (name: string, patient: ReturnType<typeof nobodys>): Promise<string> => {
  const { findings } = await examined(containers, patient);
  const one = findings.find(({ what }) => what.includes(name) && !what.startsWith("not there"));
  return one === undefined ? "" : `${one.severity}: ${one.what} | ${one.mend}`;
};

test("engine and network of the running installation are well", async () => {
  assert.equal((await examined(engine, healthy())).status, "ok");
  assert.equal((await examined(network, healthy())).status, "ok");
});

test("an engine that does not answer is named with its address", async () => {
  const away = readPatient(stackFile(), "unix:///nowhere/docker.sock");
  assert.match(onlyFinding(await examined(engine, away)), /unix:\/\/\/nowhere\/docker\.sock.*npm start/);
});

test("a network that is not there, and one of another installation", async () => {
  const missing = patientWith(() => ({ network: "no-such-network" }));
  assert.match(onlyFinding(await examined(network, missing)), /no-such-network is not there/);
  const others = patientWith(() => ({ installation: "doc-other" }));
  assert.match(onlyFinding(await examined(network, others)), /is not this installation's/);
});

test("services that are not there are named in one finding", async () => {
  const { findings } = await examined(containers, nobodys());
  assert.equal(findings.length, 1);
  assert.match(
    findings[0]?.what ?? "",
    new RegExp(`and ${infrastructure.length + fleet.length + companions.length - 3} more$`),
  );
});

test("a container that was paused or stopped is found, with what lets it go on", async () => {
  const patient = nobodys();
  const name = `${patient.installation}-redis`;
  await ownContainer(name, labelled(patient.installation), "redis", sleeping);
  assert.equal(await findingAbout(name, patient), "");
  await docker("pause", name);
  assert.match(
    await findingAbout(name, patient),
    /^problem: .* does not run: Up .*Paused.* \| docker unpause /,
  );
  await docker("unpause", name);
  await docker("kill", name);
  assert.match(await findingAbout(name, patient), /^problem: .* does not run: Exited .* \| docker start /);
});

test("a container that runs and fails its own check is found, with what the check said", async () => {
  const patient = nobodys();
  const name = `${patient.installation}-kafka`;
  const check = ["--health-cmd", "echo no leader; false", "--health-interval", "1s", "--health-retries", "1"];
  await ownContainer(name, [...labelled(patient.installation), ...check], "redis", sleeping);
  await until(async () => /not healthy: no leader/.test(await findingAbout(name, patient)));
});

test("a container that was paused and goes on is not called ill for that", async () => {
  const patient = nobodys();
  const name = `${patient.installation}-minio`;
  const check = ["--health-cmd", "true", "--health-interval", "600s"];
  await ownContainer(name, [...labelled(patient.installation), ...check], "redis", sleeping);
  await docker("pause", name);
  await docker("unpause", name);
  assert.equal(await docker("inspect", "--format", "{{.State.Health.Status}}", name), "unhealthy");
  assert.equal(await findingAbout(name, patient), "");
});

test("a container that the kernel ended for its memory is found, with a larger tier where it is a tenant's", async () => {
  const patient = nobodys();
  const name = `${patient.installation}-qdrant-acme`;
  const labels = labelled(patient.installation, "tenant=acme", "service=qdrant");
  const limit = ["--memory", "24m", "--memory-swap", "24m"];
  const hungry = ["bash", "-c", "x=$(head -c 200m /dev/zero | tr '\\0' x); sleep 600"];
  await ownContainer(name, [...labels, ...limit], "redis", hungry);
  await until(async () => /needed more memory.*tenantctl tier acme/.test(await findingAbout(name, patient)));
});

test("a Qdrant that has nearly used its memory is found before the kernel ends it", async () => {
  const patient = nobodys();
  const labels = labelled(patient.installation, "tenant=acme", "service=qdrant");
  const limit = ["--memory", "64m", "--memory-swap", "64m", "--tmpfs", "/fill"];
  const large = ["bash", "-c", "head -c 58m /dev/zero >/fill/it; sleep 600"];
  await ownContainer(`${patient.installation}-qdrant-acme`, [...labels, ...limit], "redis", large);
  await until(async () => {
    const { findings } = await examined(qdrant, patient);
    return findings.some(({ what }) => /uses \d+ of its 64 MiB/.test(what));
  });
});

test("a port that a process of ours listens on is found, with the process that has it", async () => {
  const listener = createServer().listen(0, "127.0.0.1");
  await once(listener, "listening");
  atTheEnd(async () => void listener.close());
  const { port } = listener.address() as AddressInfo;
  assert.equal((await examined(ports, healthy())).status, "ok");
  const patient = patientWith(({ redis }) => ({ redis: { ...redis, port } }));
  assert.match(
    onlyFinding(await examined(ports, patient)),
    new RegExp(
      `port ${port} of Redis is taken by the process .* \\(pid ${process.pid}\\) \\| kill ${process.pid}`,
    ),
  );
});

test("a tenant's port that another container has is found, with that container", async () => {
  const patient = nobodys();
  const taken = `${patient.installation}-taker`;
  const port = 39_871;
  const publish = ["--publish", `127.0.0.1:${port}:80`];
  await ownContainer(taken, publish, "redis", sleeping);
  const name = `${patient.installation}-qdrant-acme`;
  atTheEnd(async () => void (await docker("rm", "--force", name)));
  const image = await docker("inspect", "--format", "{{.Config.Image}}", taken);
  await docker("create", "--name", name, ...labelled(patient.installation, "tenant=acme"), ...publish, image);
  const { findings } = await examined(ports, patient);
  const one = findings.find(({ what }) => what.includes(String(port)));
  assert.match(one?.what ?? "", new RegExp(`of ${name} is taken by the container ${taken}`));
  assert.match(one?.mend ?? "", new RegExp(`docker stop ${taken}; docker start ${name}`));
});

test("an image that the engine does not have, and a fleet of two versions", async () => {
  const without = patientWith(({ images }) => ({ images: { ...images, qdrant: "no-such-image:1" } }));
  const { findings } = await examined(versions, without);
  assert.match(findings[0]?.what ?? "", /has no image no-such-image:1/);
  const patient = nobodys();
  await ownContainer(`${patient.installation}-db-worker`, labelled(patient.installation), "redis", sleeping);
  await ownContainer(
    `${patient.installation}-backup-worker`,
    labelled(patient.installation),
    "minio",
    sleeping,
  );
  assert.match(onlyFinding(await examined(versions, patient)), /of more than one version/);
});

const until = async (holds: () => Promise<boolean>): Promise<void> => {
  for (const end = Date.now() + 20_000; !(await holds()); await delay(250))
    assert.ok(Date.now() < end, "it was not found within 20 s");
};
