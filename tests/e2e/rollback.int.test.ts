import assert from "node:assert/strict";
import { after, test } from "node:test";
import { bucketName, databaseName, type Slug, volumeName } from "@deeplens/contracts";
import { order, wishFor } from "./orders.ts";
import { freshSlug, openInstallation } from "./support.ts";
import { docker, minioRoot, tracesOf } from "./traces.ts";

// A step that fails for a real reason rolls its tenant back; afterwards nothing of it is left in any service, and what
// was somebody else's is untouched.

const installation = await openInstallation();
after(() => installation.close());
const { admin, control, services } = installation;

const expectRolledBack = async (
  slug: string,
  expected: { step: string; code: RegExp; foreign?: readonly string[]; email?: string },
): Promise<void> => {
  const administrator = {
    email: expected.email ?? `admin@${slug}.example`,
    firstName: "Ada",
    lastName: "Lovelace",
  };
  const ended = await order(installation, wishFor(slug, { administrator }));
  assert.equal(ended.saga.status, "rolled-back", JSON.stringify(ended.saga.error));
  assert.equal(ended.saga.error?.step, expected.step);
  assert.match(ended.saga.error?.code ?? "", expected.code);
  const left = await tracesOf(installation, ended);
  assert.deepEqual(left, expected.foreign ?? []);
};

test("a database of that name, made by hand", async (t) => {
  const slug = freshSlug("by-hand");
  const name = databaseName(slug as Slug);
  await admin.query(`CREATE DATABASE ${name}`);
  t.after(() => admin.query(`DROP DATABASE ${name}`));
  const before = await admin.query("SELECT oid, datdba, datacl::text FROM pg_database WHERE datname = $1", [
    name,
  ]);
  await expectRolledBack(slug, { step: "database", code: /owned-by-other/, foreign: [`database ${name}`] });
  const now = await admin.query("SELECT oid, datdba, datacl::text FROM pg_database WHERE datname = $1", [
    name,
  ]);
  assert.deepEqual(now.rows, before.rows);
});

test("a bucket of that name, owned by somebody else", async (t) => {
  const slug = freshSlug("bucket");
  const bucket = bucketName(services.installation, slug as Slug);
  const minio = minioRoot(installation);
  await minio.makeBucket(bucket);
  await minio.putObject(bucket, "theirs.txt", "somebody else's");
  t.after(async () => {
    await minio.removeObject(bucket, "theirs.txt");
    await minio.removeBucket(bucket);
  });
  await expectRolledBack(slug, { step: "storage", code: /owned-by-other/, foreign: [`bucket ${bucket}`] });
  const object = await minio.getObject(bucket, "theirs.txt");
  assert.equal(Buffer.concat(await object.toArray()).toString(), "somebody else's");
});

test("no port left", async (t) => {
  const slug = freshSlug("no-port");
  const { httpPortBase, grpcPortBase } = services.qdrant;
  // As a worker notes it when somebody else has the port: for an hour nobody tries it.
  await control.query(
    `INSERT INTO vectors.foreign_ports (installation, http_port, grpc_port, until)
     SELECT $1, $2 + 2 * n, $3 + 2 * n, now() + interval '1 hour' FROM generate_series(0, 9999) AS n
     ON CONFLICT (installation, http_port, grpc_port) DO UPDATE SET until = excluded.until`,
    [services.installation, httpPortBase, grpcPortBase],
  );
  t.after(() =>
    control.query("DELETE FROM vectors.foreign_ports WHERE installation = $1", [services.installation]),
  );
  await expectRolledBack(slug, { step: "vectors", code: /port/ });
});

test("a volume of the backup's name, made by hand", async (t) => {
  const slug = freshSlug("volume");
  const Name = volumeName(services.installation, "backup", slug as Slug);
  await docker().createVolume({ Name, Labels: { made: "by hand" } });
  t.after(() => docker().getVolume(Name).remove());
  await expectRolledBack(slug, { step: "backup", code: /owned-by-other/, foreign: [`volume ${Name}`] });
  assert.deepEqual((await docker().getVolume(Name).inspect()).Labels, { made: "by hand" });
});

test("Identity refuses the administrator", async () => {
  const first = await order(installation, wishFor(freshSlug("first")));
  assert.equal(first.saga.status, "ready", JSON.stringify(first.saga.error));
  await expectRolledBack(freshSlug("second"), {
    step: "identity",
    code: /refused/,
    email: `admin@${first.slug}.example`,
  });
});

test("a tenant's rollback leaves its neighbour of a like name alone", async () => {
  const slug = freshSlug("near");
  const neighbour = await order(installation, wishFor(`${slug}-x`));
  assert.equal(neighbour.saga.status, "ready", JSON.stringify(neighbour.saga.error));
  const before = await tracesOf(installation, neighbour);
  await expectRolledBack(slug, {
    step: "identity",
    code: /refused/,
    email: `admin@${neighbour.slug}.example`,
  });
  assert.deepEqual(await tracesOf(installation, neighbour), before);
});
