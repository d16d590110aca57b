import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { createClient } from "@deeplens/postgres";
import { stack } from "@deeplens/testing";
import { certificates } from "./checks/certificates.ts";
import { clock } from "./checks/clock.ts";
import { disk } from "./checks/disk.ts";
import { identity } from "./checks/identity.ts";
import { kafka } from "./checks/kafka.ts";
import { minio } from "./checks/minio.ts";
import { orchestrator } from "./checks/orchestrator.ts";
import { postgres } from "./checks/postgres.ts";
import { redis } from "./checks/redis.ts";
import { registry } from "./checks/registry.ts";
import {
  atTheEnd,
  docker,
  examined,
  healthy,
  nobodys,
  onlyFinding,
  ownContainer,
  ownServer,
  patientWith,
  wrongPassword,
} from "./testing/patients.ts";

// Each check is shown what is really broken, and the running services well.

test("the running services are well", async () => {
  for (const check of [postgres, redis, minio, identity, disk, clock, certificates]) {
    const { findings } = await examined(check, healthy());
    // Another test may be using a tenant's connections up just now.
    const ours = findings.filter(({ what }) => !/^database .* connections in use$/.test(what));
    assert.deepEqual(ours, [], check.name);
  }
});

test("Kafka's missing topics are named, and what makes them", async () => {
  const patient = nobodys();
  assert.match(
    onlyFinding(await examined(kafka, patient)),
    /topics are missing: .* and 13 more \| docker restart .*-saga-orchestrator/,
  );
});

test("a wrong password is told by whoever refuses it: Kafka, Postgres, Redis, MinIO", async () => {
  const passwordFile = wrongPassword();
  const patient = patientWith((now) => ({
    kafka: { ...now.kafka, passwordFile },
    tenantDb: { ...now.tenantDb, passwordFile },
    redis: { ...now.redis, passwordFile },
    minio: { ...now.minio, passwordFile },
  }));
  assert.match(
    onlyFinding(await examined(kafka, patient)),
    new RegExp(`authentication.*${stack().installation}-kafka`, "i"),
  );
  assert.match(onlyFinding(await examined(postgres, patient)), /password authentication failed/);
  assert.match(onlyFinding(await examined(redis, patient)), /WRONGPASS/);
  assert.match(
    onlyFinding(await examined(minio, patient)),
    /SignatureDoesNotMatch.*its password is not the one in .*wrong-password/,
  );
});

test("services that nobody answers for are named with what starts them", async () => {
  const url = "http://127.0.0.1:9";
  const patient = patientWith((now) => ({
    schemaRegistry: { url },
    identity: { url },
    api: { ...now.api, url },
    minio: { ...now.minio, endpoint: url },
    redis: { ...now.redis, port: 9 },
    tenantDb: { ...now.tenantDb, port: 9 },
    kafka: { ...now.kafka, brokers: ["127.0.0.1:9"] },
  }));
  for (const [check, service] of [
    [registry, "schema-registry"],
    [identity, "identity-api"],
    [orchestrator, "saga-orchestrator"],
    [minio, "minio"],
    [redis, "redis"],
    [postgres, "postgres"],
    [kafka, "kafka"],
  ] as const)
    assert.match(
      onlyFinding(await examined(check, patient)),
      new RegExp(`^problem: .+ \\| .*docker restart ${stack().installation}-${service}$`),
    );
});

test("a registry without the installation's schemas, and one that is ill", async () => {
  assert.match(onlyFinding(await examined(registry, nobodys())), /has no schema of this installation/);
  const url = await ownServer((_, response) => void response.writeHead(500).end());
  const ill = patientWith(() => ({ schemaRegistry: { url } }));
  assert.match(onlyFinding(await examined(registry, ill)), /answers 500/);
});

test("an Identity API that says it is ill, with what it says", async () => {
  const url = await ownServer((_, response) => void response.writeHead(503).end("no database"));
  const patient = patientWith(() => ({ identity: { url } }));
  assert.match(onlyFinding(await examined(identity, patient)), /answers 503: no database/);
});

test("an API that refuses the token in the file", async () => {
  const problem = { type: "t", title: "t", status: 401, code: "token-wrong", detail: "no", next: "no" };
  const url = await ownServer((_, response) => {
    response.writeHead(401, { "content-type": "application/problem+json" }).end(JSON.stringify(problem));
  });
  const patient = patientWith((now) => ({ api: { ...now.api, url } }));
  assert.match(onlyFinding(await examined(orchestrator, patient)), /refuses the token in .*api-token/);
});

test("a tenant's database whose connections are used up, and a control database that is not there", async () => {
  const { tenantDb } = stack();
  const { host, port, adminUser, password } = tenantDb;
  const name = `doctor_${process.pid}`;
  const admin = createClient({ host, port, user: adminUser, password, database: "postgres" }, "tests");
  await admin.connect();
  atTheEnd(async () => {
    await admin.query(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);
    await admin.query(`DROP ROLE IF EXISTS ${name}`);
    await admin.end();
  });
  await admin.query(`CREATE DATABASE ${name} CONNECTION LIMIT 2`);
  const connections = [1, 2].map(() =>
    createClient({ host, port, user: adminUser, password, database: name }, "tests"),
  );
  for (const one of connections) {
    one.on("error", () => undefined); // the database goes with FORCE
    await one.connect();
  }
  const patient = patientWith((now) => ({ controlDb: { ...now.controlDb, database: "no_such_database" } }));
  const { findings } = await examined(postgres, patient);
  assert.deepEqual(
    findings
      .filter(({ what }) => what.includes(name) || !what.startsWith("database "))
      .map(({ severity, what }) => `${severity}: ${what}`),
    [
      "problem: the control database no_such_database is not there",
      `warning: database ${name} has 2 of its 2 connections in use`,
    ],
  );
});

test("a Redis without an ACL file, that would drop tenants' keys when full", async () => {
  const name = `doctor-redis-${process.pid}`;
  const server = ["redis-server", "--maxmemory", "64mb", "--maxmemory-policy", "allkeys-lru"];
  await ownContainer(name, ["--publish", "127.0.0.1::6379"], "redis", [...server, "--protected-mode", "no"]);
  const port = Number((await docker("port", name, "6379/tcp")).split(":").at(-1));
  const password = wrongPassword(); // it asks for one no more than it keeps users
  const patient = patientWith((now) => ({ redis: { ...now.redis, port, passwordFile: password } }));
  const { findings } = await examined(redis, patient);
  assert.match(
    findings.map(({ what }) => what).join("\n"),
    /no ACL file.*gone after its restart\n.*allkeys-lru/,
  );
});

test("a clock that is five minutes ahead is named with whose it is", async () => {
  const url = await ownServer((_, response) => {
    response.sendDate = false;
    response.setHeader("date", new Date(Date.now() + 300_000).toUTCString());
    response.end("[]");
  });
  const patient = patientWith(() => ({ identity: { url } }));
  assert.match(
    onlyFinding(await examined(clock, patient)),
    /^problem: the clock of the Identity API is (299|300)\.\d s ahead of this machine's \| .*chronyc/,
  );
});

test("certificates: one that nobody trusts, one that ends soon, and a server that has none", async () => {
  const folder = mkdtempSync(join(tmpdir(), "doctor-tls-"));
  atTheEnd(async () => rmSync(folder, { recursive: true, force: true }));
  const [key, cert] = [join(folder, "key.pem"), join(folder, "cert.pem")];
  const words = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];
  const subject = ["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"];
  const serve = async (days: string): Promise<string> => {
    execFileSync("openssl", [...words, ...subject, "-keyout", key, "-out", cert, "-days", days], {
      stdio: "ignore",
    });
    const server = createServer({ key: readFileSync(key), cert: readFileSync(cert) });
    await new Promise<void>((resolve) => {
      server.listen(0, "127.0.0.1", resolve);
    });
    atTheEnd(async () => void server.close());
    return `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
  };
  const at = async (url: string): Promise<string> =>
    onlyFinding(
      await examined(
        certificates,
        patientWith(() => ({ identity: { url } })),
      ),
    );
  const url = await serve("6");
  assert.match(await at(await serve("90")), /is not trusted here \(DEPTH_ZERO_SELF_SIGNED_CERT\)/);
  const soon = await examined(
    certificates,
    patientWith(() => ({ identity: { url } })),
  );
  assert.match(soon.findings[1]?.what ?? "", /ends in 5 days, on 20\d\d-\d\d-\d\d/);
  const plain = await ownServer((_, response) => void response.end());
  assert.match(await at(plain.replace("http:", "https:")), /shows no certificate/);
});
