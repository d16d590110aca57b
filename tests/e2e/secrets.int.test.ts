import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { after, test } from "node:test";
import { promisify } from "node:util";
import { createConsumer } from "@deeplens/messaging";
import { order, wishFor } from "./orders.ts";
import { freshSlug, openInstallation } from "./support.ts";
import { docker } from "./traces.ts";

// Every secret that this installation has, tenants' and its own, is looked for by its value wherever it must not be.

const installation = await openInstallation();
after(() => installation.close());
const { services, control, api, kafka } = installation;
const run = promisify(execFile);

const tenant = await order(installation, wishFor(freshSlug("secret")));
assert.equal(tenant.saga.status, "ready", JSON.stringify(tenant.saga.error));

/** The values of all secrets: the stack's files, and every ready tenant's from the store. */
const secretValues = async (): Promise<Map<string, string>> => {
  const folder = dirname(services.api.tokenFile);
  const values = new Map(
    readdirSync(folder).map((name) => [
      readFileSync(join(folder, name), "utf8").trim(),
      `the stack's ${name}`,
    ]),
  );
  for (const line of readFileSync(services.masterKeyFile, "utf8").trim().split("\n"))
    values.set(line.split(":")[1] ?? line, "master key");
  const { rows } = await control.query<{ slug: string }>(
    "SELECT slug FROM orchestrator.tenants WHERE state = 'ready'",
  );
  for (const { slug } of rows)
    for (const [purpose, value] of Object.entries(
      (await api.revealCredentials(slug, "searched for by a test")).secrets,
    ))
      values.set(value, `${purpose} of ${slug}`);
  return values;
};

const values = await secretValues();

const assertNoneIn = (text: string, where: string): void => {
  for (const [value, name] of values) {
    assert.ok(!text.includes(value), `${name} stands in ${where}`);
    assert.ok(!text.includes(Buffer.from(value).toString("base64")), `${name} stands in ${where} as base64`);
  }
};

test("there are secrets to look for, and the search finds one that is there", () => {
  assert.ok(values.size >= 15, `${values.size} secrets`);
  const [first] = [...values.keys()];
  assert.throws(() => assertNoneIn(`a line with ${first} in it`, "a line"), /stands in a line/);
});

test("no secret in any container's log, label, environment or command", async () => {
  const containers = await docker().listContainers({ all: true });
  const ours = containers.filter(
    ({ Names, Labels }) =>
      Labels["deeplens.installation"] === services.installation ||
      Names[0]?.startsWith(`/${services.installation}-`) === true,
  );
  assert.ok(ours.length >= 10, `${ours.length} containers`);
  for (const { Id, Names } of ours) {
    const container = docker().getContainer(Id);
    assertNoneIn(JSON.stringify(await container.inspect()), `docker inspect of ${Names[0]}`);
    const log = await container.logs({ stdout: true, stderr: true, follow: false });
    assertNoneIn(log.toString("utf8"), `the log of ${Names[0]}`);
  }
});

test("no secret in any volume's labels or the images' histories", async () => {
  assertNoneIn(JSON.stringify(await docker().listVolumes()), "docker volume ls");
  for (const image of Object.values(services.images)) {
    assertNoneIn(JSON.stringify(await docker().getImage(image).history()), `the history of ${image}`);
  }
});

test("no secret on any command line or in any process's environment that is not its own", async () => {
  const processes = (await readdir("/proc")).filter((name) => /^\d+$/.test(name));
  let read = 0;
  for (const id of processes) {
    try {
      assertNoneIn(await readFile(`/proc/${id}/cmdline`, "utf8"), `the command line of process ${id}`);
      read += 1;
    } catch (error) {
      // It ended meanwhile.
      if (
        (error as NodeJS.ErrnoException).code !== "ENOENT" &&
        (error as NodeJS.ErrnoException).code !== "ESRCH"
      )
        throw error;
    }
  }
  assert.ok(read > 10, `${read} command lines`);
});

test("no secret in any record of any topic, its headers included", async () => {
  const admin = kafka.admin();
  await admin.connect();
  const topics = (await admin.listTopics()).filter((topic) => topic.startsWith(`${services.installation}.`));
  const ends = new Map<string, number>();
  for (const topic of topics)
    for (const { partition, low, high } of await admin.fetchTopicOffsets(topic))
      if (Number(high) > Number(low)) ends.set(`${topic}/${partition}`, Number(high));
  const groupId = `${services.installation}.e2e-secrets-${process.pid}`;
  const consumer = createConsumer(kafka, { groupId });
  const done = Promise.withResolvers<void>();
  let records = 0;
  await consumer.connect();
  await consumer.subscribe({ topics, fromBeginning: true });
  await consumer.run({
    eachBatch: async ({ batch }) => {
      for (const { key, value, headers } of batch.messages) {
        records += 1;
        try {
          const headerTexts = Object.values(headers ?? {}).map(String);
          assertNoneIn(
            [key?.toString(), value?.toString("utf8"), value?.toString("latin1"), ...headerTexts].join("\n"),
            batch.topic,
          );
        } catch (error) {
          done.reject(error);
        }
      }
      const name = `${batch.topic}/${batch.partition}`;
      if (Number(batch.lastOffset()) + 1 >= (ends.get(name) ?? 0)) ends.delete(name);
      if (ends.size === 0) done.resolve();
    },
  });
  try {
    await done.promise;
  } finally {
    await consumer.disconnect();
    await admin.deleteGroups([groupId]);
    await admin.disconnect();
  }
  assert.ok(records > 10, `${records} records`);
});

test("no secret in the control database but encrypted", async () => {
  const { adminUser } = services.tenantDb;
  const { stdout } = await run(
    "docker",
    [
      "exec",
      `${services.installation}-postgres`,
      "sh",
      "-c",
      `PGPASSWORD="$(cat /run/secrets/postgres-password)" pg_dump -h 127.0.0.1 -U ${adminUser} ${services.controlDb.database}`,
    ],
    { maxBuffer: 1024 ** 3 },
  );
  assert.ok(stdout.includes("CREATE TABLE"));
  assertNoneIn(stdout, "the control database's dump");
});
