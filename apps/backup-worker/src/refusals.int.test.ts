import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { agentBackupsFolder } from "@deeplens/backup";
import { labelNames } from "@deeplens/contracts";
import { PermanentStepError } from "@deeplens/worker";
import Docker from "dockerode";
import { agentOf, backupRig, type Rig, type TestTenant } from "./testing/rig.ts";

const cleanUps: (() => Promise<void>)[] = [];
// What a stranger uses, who knows nothing of the product.
const docker = new Docker();
let rig: Rig;

before(async () => {
  rig = await backupRig((work) => cleanUps.push(work));
});
after(async () => {
  for (const work of cleanUps.reverse()) await work();
});

const refusedAs = (code: string) => (error: unknown) =>
  error instanceof PermanentStepError && error.code === code;
const soon = (): AbortSignal => AbortSignal.timeout(10_000);

/** Runs a command as root beside a volume, as a stranger could. */
const inVolume = async (volume: string, ...command: readonly string[]): Promise<string> => {
  const container = await docker.createContainer({
    Image: rig.services.image,
    User: "0:0",
    Cmd: [...command],
    Tty: true,
    Labels: { [labelNames.installation]: rig.source.installation },
    HostConfig: { Mounts: [{ Type: "volume", Source: volume, Target: agentBackupsFolder }] },
  });
  try {
    await container.start();
    const { StatusCode } = (await container.wait()) as { StatusCode: number };
    const written = (await container.logs({ stdout: true, stderr: true })).toString();
    assert.equal(StatusCode, 0, written);
    return written;
  } finally {
    await container.remove({ force: true, v: true });
  }
};

const contentsOf = (volume: string): Promise<string> =>
  inVolume(volume, "bash", "-c", `find ${agentBackupsFolder} -type f | sort | xargs -r sha256sum`);

test("a container of that name that is somebody else's is refused, and neither doing nor undoing touches it", async () => {
  const acme = rig.tenant();
  const { container: name } = acme.backup;
  const theirs = { [labelNames.installation]: rig.source.installation, theirs: "yes" };
  const made = await docker.createContainer({ name, Image: rig.services.image, Labels: theirs });
  // The engine tells its own default limits in any order.
  const shown = async () => {
    const { HostConfig, ...rest } = await made.inspect();
    const ulimits = HostConfig.Ulimits?.toSorted((a, b) => String(a.Name).localeCompare(String(b.Name)));
    return { ...rest, HostConfig: { ...HostConfig, Ulimits: ulimits } };
  };
  const before = await shown();
  await assert.rejects(acme.provision(), refusedAs("backup-container-owned-by-other"));
  const receipt = await acme.compensate();
  assert.deepEqual(
    receipt.map(({ kind, outcome }) => [kind, outcome]),
    [
      ["backup-container", "foreign"],
      ["backup-volume", "removed"],
      ["secret", "removed"],
      ["secret", "removed"],
    ],
  );
  assert.deepEqual(await shown(), before);
  assert.deepEqual(
    acme.ledger.rows().filter(({ state }) => state !== "gone"),
    [],
  );
});

test("a volume of that name that is another tenant's is refused, and keeps what is in it", async () => {
  const [acme, other] = [rig.tenant(), rig.tenant()];
  const { volume } = acme.backup;
  const labels = { ...other.backup.labels };
  await docker.createVolume({ Name: volume, Labels: labels });
  await inVolume(volume, "bash", "-c", `echo theirs > ${agentBackupsFolder}/file`);
  const before = await contentsOf(volume);
  await assert.rejects(acme.provision(), refusedAs("backup-volume-owned-by-other"));
  const receipt = await acme.compensate();
  assert.equal(receipt.find(({ kind }) => kind === "backup-volume")?.outcome, "foreign");
  assert.equal(await contentsOf(volume), before);
  assert.match(before, /file/);
  assert.deepEqual((await docker.getVolume(volume).inspect()).Labels, labels);
});

const strange: readonly [string, string, RegExp][] = [
  ["a file of somebody's", "echo mine > /backups/notes.txt", /notes\.txt, which no backup made/],
  [
    "a file inside a backup",
    "cd /backups/2* && echo mine > notes.txt",
    /2\S+\/notes\.txt, which no backup made/,
  ],
  [
    "a backup of another tenant",
    'sed -i \'s/"tenantId": ".\\{8\\}/"tenantId": "00000000/\' /backups/2*/manifest.json',
    /a backup of tenant/,
  ],
  ["a backup without its manifest", "rm /backups/2*/manifest.json", /whose owner can't be told/],
];

for (const [what, command, reason] of strange)
  test(`undo refuses a volume with ${what} in it, and removes nothing`, async () => {
    const acme = rig.tenant();
    await acme.provision();
    await inVolume(acme.backup.volume, "bash", "-c", command);
    const before = await contentsOf(acme.backup.volume);
    await assert.rejects(
      acme.compensate(),
      (error) => refusedAs("not-empty")(error) && reason.test((error as Error).message),
    );
    assert.equal(await contentsOf(acme.backup.volume), before);
    assert.equal((await rig.services.engine.container(acme.backup.container))?.state, "running");
    assert.ok(acme.secrets.values.has(`${acme.tenant.tenantId}/backup.token`));
  });

test("undo looks into the volume of an agent that was stopped, or whose container somebody removed", async () => {
  for (const gone of [
    ({ backup }: TestTenant) => rig.services.engine.stop(backup.container, { graceMs: 0 }),
    ({ backup }: TestTenant) => rig.services.engine.removeContainer(backup.container),
  ]) {
    const acme = rig.tenant();
    await acme.provision();
    await gone(acme);
    await inVolume(acme.backup.volume, "bash", "-c", "echo mine > /backups/notes.txt");
    await assert.rejects(acme.compensate(), refusedAs("not-empty"));
    await inVolume(acme.backup.volume, "rm", "/backups/notes.txt");
    await acme.compensate();
    assert.equal(await rig.services.engine.volume(acme.backup.volume), undefined);
  }
});

test("where the image is missing the step says so and makes nothing; its undo succeeds without the image", async () => {
  const acme = rig.tenant({ image: "deeplens-no-such/backup:1" });
  await assert.rejects(acme.provision(), /has no image deeplens-no-such\/backup:1/);
  const receipt = await acme.compensate();
  assert.deepEqual(
    receipt.map(({ outcome }) => outcome),
    ["absent", "absent", "absent", "absent"],
  );
});

test("a first backup that was damaged since does not prove the step: another one is taken", async () => {
  const acme = rig.tenant();
  const first = await acme.provision();
  await inVolume(acme.backup.volume, "bash", "-c", "printf x >> /backups/2*/database.dump.zst.enc");
  const again = await acme.provision();
  assert.notEqual(again.outputs.firstBackupId, first.outputs.firstBackupId);
  await acme.compensate();
});

test("an agent that can't get ready fails the step with its own reason, and can be undone", async () => {
  const acme = rig.tenant();
  const inputs = { ...acme.command.inputs, "database.database": "no_such_database" };
  const progressed: string[] = [];
  const context = {
    ...acme.context(),
    progress: (message: string) => {
      progressed.push(message);
      throw new Error(message);
    },
  };
  await assert.rejects(acme.handler.provision({ ...acme.command, inputs }, context), /no_such_database/);
  await acme.compensate();
});

test("nothing secret is in what the engine shows of the container, nor in what it wrote", async () => {
  const acme = rig.tenant();
  await acme.provision();
  const { container: name, volume } = acme.backup;
  const shown = [
    JSON.stringify(await docker.getContainer(name).inspect()),
    JSON.stringify(await docker.getVolume(volume).inspect()),
    await rig.services.engine.logs(name, { lines: 500 }),
    JSON.stringify(await docker.getContainer(name).top()),
  ].join("\n");
  const secrets = [...acme.secrets.values];
  assert.equal(secrets.length, 5);
  for (const [purpose, value] of secrets) assert.ok(!shown.includes(value), `${purpose} is shown`);
  await acme.compensate();
});

test("another tenant's token opens nothing", async () => {
  const [acme, other] = [rig.tenant(), rig.tenant()];
  await acme.provision();
  await other.provision();
  const { url } = await agentOf(rig, acme, acme.secrets);
  const { token } = await agentOf(rig, other, other.secrets);
  const answer = await fetch(`${url}/v1/backups`, { headers: { authorization: `Bearer ${token}` } });
  assert.equal(answer.status, 401);
  await acme.compensate();
  const { client } = await agentOf(rig, other, other.secrets);
  assert.equal((await client.list(soon())).backups.length, 1);
  await other.compensate();
});
