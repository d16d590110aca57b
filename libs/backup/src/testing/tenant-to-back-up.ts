import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { type ContainerEngine, dockerEngine } from "@deeplens/containers";
import { labelNames } from "@deeplens/contracts";
import { createClient, quoteIdentifier } from "@deeplens/postgres";
import { stack } from "@deeplens/testing";
import { Redis } from "ioredis";

/** What a backup is taken of, on the real services, and an installation of the test's own to do it in. */
export interface TenantToBackUp {
  /** The test's own: everything that it makes on the engine bears this name. */
  readonly installation: string;
  readonly engine: ContainerEngine;
  /** Where Postgres is reached by its name. */
  readonly network: string;
  readonly image: string;
  /** As a container in the network sees it. */
  readonly database: {
    readonly host: string;
    readonly port: number;
    readonly database: string;
    readonly user: string;
    readonly password: string;
  };
  /** Of a user that reads the keys of the prefix, as a container in the network sees it. */
  readonly redis: {
    readonly host: string;
    readonly port: number;
    readonly user: string;
    readonly password: string;
    readonly prefix: string;
    /** Runs a command as the administrator. */
    command(...words: readonly string[]): Promise<unknown>;
  };
  readonly vectors: {
    /** As a container in the network sees it. */
    readonly url: string;
    readonly apiKey: string;
    /** Calls it from the host, with the key. */
    ask(method: string, path: string, body?: unknown): Promise<{ status: number; body: unknown }>;
    /** Uploads a form to it. */
    send(path: string, form: FormData): Promise<{ status: number; body: unknown }>;
  };
  /** A session of the administrator's in a database of that server. */
  connect(database: string): Promise<ReturnType<typeof createClient>>;
  /** Runs statements in the database as its administrator. */
  sql(...statements: readonly string[]): Promise<void>;
}

/** Where an `after` of node:test registers a clean-up. */
export type CleanUp = (work: () => Promise<void>) => void;

/**
 * A database with 3 images in it whose application role may read, a Qdrant of its own with the collection `images` of
 * 2 points, and the names to make containers under. `after` removes all of it, and every container and volume of the
 * test's installation.
 */
export const tenantToBackUp = async (after: CleanUp): Promise<TenantToBackUp> => {
  const { network, images, tenantDb } = stack();
  const chance = randomBytes(4).toString("hex");
  const installation = `bt-${chance}`;
  // biome-ignore lint/style/noProcessEnv: a rig of tests stands in for main.ts
  const engine = dockerEngine({ host: process.env.DOCKER_HOST ?? "" });
  after(async () => {
    const left = await engine.list({ [labelNames.installation]: installation });
    for (const { name } of left.containers) await engine.removeContainer(name);
    for (const { name } of left.volumes) await engine.removeVolume(name);
  });

  const database = `backup_test_${chance}`;
  const user = `${database}_app`;
  const password = randomBytes(24).toString("base64url");
  const connect = async (name: string): Promise<ReturnType<typeof createClient>> => {
    const { host, port, adminUser, password: adminPassword } = tenantDb;
    const address = { host, port, user: adminUser, password: adminPassword, database: name };
    const client = createClient(address, "tests");
    await client.connect();
    return client;
  };
  const administer = async (name: string, statements: readonly string[]): Promise<void> => {
    const client = await connect(name);
    try {
      for (const statement of statements) await client.query(statement);
    } finally {
      await client.end();
    }
  };
  const [quotedDatabase, quotedUser] = [quoteIdentifier(database), quoteIdentifier(user)];
  after(() =>
    administer("postgres", [
      `DROP DATABASE IF EXISTS ${quotedDatabase} WITH (FORCE)`,
      `DROP ROLE IF EXISTS ${quotedUser}`,
    ]),
  );
  await administer("postgres", [
    `CREATE ROLE ${quotedUser} LOGIN PASSWORD '${password}'`,
    `CREATE DATABASE ${quotedDatabase}`,
    `REVOKE CONNECT ON DATABASE ${quotedDatabase} FROM PUBLIC`,
    `GRANT CONNECT ON DATABASE ${quotedDatabase} TO ${quotedUser}`,
  ]);
  const sql = (...statements: readonly string[]): Promise<void> => administer(database, statements);
  await sql(
    "CREATE TABLE images (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text NOT NULL)",
    "CREATE TABLE usage (day date)",
    "INSERT INTO images (name) VALUES ('a'), ('b'), ('c')",
    `GRANT SELECT ON ALL TABLES IN SCHEMA public TO ${quotedUser}`,
    `GRANT SELECT ON ALL SEQUENCES IN SCHEMA public TO ${quotedUser}`,
  );
  return {
    ...{ installation, engine, network, connect, sql },
    image: images.backup,
    database: { host: "postgres", port: 5432, database, user, password },
    redis: await redisUser(after, chance),
    vectors: await qdrant(engine, installation, network, images.qdrant),
  };
};

const redisUser = async (after: CleanUp, chance: string): Promise<TenantToBackUp["redis"]> => {
  const { host, port, adminUser, password: adminPassword } = stack().redis;
  const admin = new Redis({ host, port, username: adminUser, password: adminPassword });
  const user = `backup-test-${chance}`;
  const prefix = `tenant:test-${chance}:`;
  const password = randomBytes(24).toString("base64url");
  after(async () => {
    await admin.call("ACL", "DELUSER", user);
    const keys = await admin.keys(`${prefix}*`);
    if (keys.length > 0) await admin.del(keys);
    admin.disconnect();
  });
  // Held to what a tenant's has by the db-worker's own tests (apps/db-worker/src/backup-reader.int.test.ts).
  const rights = ["+scan", "+dump", "+pexpiretime", "+ping", "+info"];
  await admin.call("ACL", "SETUSER", user, "reset", "on", `>${password}`, `%R~${prefix}*`, ...rights);
  const command = (name = "", ...words: readonly string[]): Promise<unknown> => admin.call(name, ...words);
  return { host: "redis", port: 6379, user, password, prefix, command };
};

const qdrant = async (
  engine: ContainerEngine,
  installation: string,
  network: string,
  image: string,
): Promise<TenantToBackUp["vectors"]> => {
  const name = `${installation}-qdrant-shared`;
  const apiKey = randomBytes(24).toString("base64url");
  const port = await aFreePort();
  await engine.ensureContainer({
    ...{ name, image, network },
    labels: { [labelNames.installation]: installation },
    volumes: [],
    ports: [{ container: 6333, address: "127.0.0.1", host: port }],
    limits: { memoryBytes: 512 * 1024 ** 2, cpus: 1, pids: 200 },
  });
  const content = `service:\n  api_key: ${JSON.stringify(apiKey)}\n`;
  await engine.putFiles(name, [{ path: "/qdrant/config/local.yaml", content, mode: 0o444 }]);
  await engine.start(name);
  const url = `http://127.0.0.1:${port}`;
  const call = async (path: string, init: RequestInit): Promise<{ status: number; body: unknown }> => {
    const headers = { ...init.headers, "api-key": apiKey };
    const response = await fetch(`${url}${path}`, { ...init, headers });
    return { status: response.status, body: await response.json() };
  };
  const send: TenantToBackUp["vectors"]["send"] = (path, form) => call(path, { method: "POST", body: form });
  const ask: TenantToBackUp["vectors"]["ask"] = (method, path, body) =>
    call(path, {
      method,
      headers: { "content-type": "application/json" },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
  for (let tries = 0; tries < 200; tries++) {
    if (
      await fetch(`${url}/readyz`).then(
        ({ ok }) => ok,
        () => false,
      )
    )
      break;
    await delay(50);
  }
  await ask("PUT", "/collections/images", { vectors: { size: 4, distance: "Cosine" } });
  await ask("PUT", "/collections/images/points?wait=true", {
    points: [1, 2].map((id) => ({ id, vector: [id, 0, 0, 1], payload: { name: `image ${id}` } })),
  });
  return { url: `http://${name}:6333`, apiKey, ask, send };
};

const aFreePort = async (): Promise<number> => {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
};
