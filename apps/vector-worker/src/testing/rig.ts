import assert from "node:assert/strict";
import { randomBytes, randomInt } from "node:crypto";
import { createServer } from "node:net";
import { type ContainerEngine, dockerEngine } from "@deeplens/containers";
import { labelNames, networkName, type Slug, tenantIdOf } from "@deeplens/contracts";
import { type DatabaseAddress, migrate, type Pool } from "@deeplens/postgres";
import { type CleanUps, stack, testDatabase } from "@deeplens/testing";
import {
  migrateWorker,
  type Operation,
  type ProvisionCommand,
  type StepHandler,
  type UndoCommand,
} from "@deeplens/worker";
import {
  type MemoryLedger,
  type MemorySecrets,
  memoryLedger,
  memorySecrets,
  testContext,
} from "@deeplens/worker/testing";
import Docker from "dockerode";
import { type LeaseHolder, type PortLeases, type PortRange, postgresPortLeases } from "../port-leases.ts";
import { vectorStep } from "../step.ts";
import type { VectorServices } from "../tenant-qdrant.ts";

/** An installation of a test file's own: its network, its leases in a database of its own, its engine's things. */
export interface Rig {
  readonly installation: string;
  readonly engine: ContainerEngine;
  /** What a stranger uses, who knows nothing of the port. */
  readonly docker: Docker;
  readonly pool: Pool;
  readonly database: DatabaseAddress;
  readonly range: PortRange;
  readonly services: VectorServices;
  tenant(changes?: Partial<VectorServices>): TestTenant;
}

/** One tenant, and its ledger and secrets, which survive from one try to the next. */
export interface TestTenant {
  readonly slug: Slug;
  readonly tenantId: string;
  readonly container: string;
  readonly volume: string;
  readonly command: ProvisionCommand;
  readonly undo: UndoCommand;
  readonly handler: StepHandler;
  readonly ledger: MemoryLedger;
  readonly secrets: MemorySecrets;
  provision(): ReturnType<StepHandler["provision"]>;
  compensate(changes?: Partial<UndoCommand>): ReturnType<StepHandler["compensate"]>;
  /** `sagaId`: "removal" unless told. */
  act(
    operation: string,
    sagaId?: string,
    parameters?: Readonly<Record<string, string>>,
    crash?: { readonly crashAfterCall?: number },
  ): ReturnType<Operation>;
  apiKey(): string;
}

export const vectorRig = async ({ add: after }: CleanUps, pairs = 40): Promise<Rig> => {
  const installation = `vt-${randomBytes(4).toString("hex")}`;
  const { pool, address } = await testDatabase(after);
  await migrateWorker(pool);
  await migrate(pool, "vectors", new URL("../../migrations/", import.meta.url));
  const docker = new Docker();
  // biome-ignore lint/style/noProcessEnv: the rig of tests stands in for main.ts
  const engine = dockerEngine({ host: process.env.DOCKER_HOST ?? "" });
  await docker.createNetwork({
    Name: networkName(installation),
    Labels: { [labelNames.installation]: installation },
  });
  after(async () => {
    const left = await engine.list({ [labelNames.installation]: installation });
    for (const { name } of left.containers) await engine.removeContainer(name);
    for (const { name } of left.volumes) await engine.removeVolume(name);
    await docker.getNetwork(networkName(installation)).remove();
  });
  // Below the ports that the system gives to outgoing connections, and away from the test installation's.
  const httpBase = 20_101 + 2 * randomInt(2_000);
  const range = { httpBase, grpcBase: httpBase + 1, pairs };
  const services: VectorServices = {
    engine,
    leases: raisingFences(postgresPortLeases(pool, installation, range), pool),
    image: stack().images.qdrant,
    reach: "published",
    publishAddress: "127.0.0.1",
    collection: { name: "images", size: 8, distance: "Cosine" },
  };
  return {
    ...{ installation, engine, docker, pool, range, services },
    database: address,
    tenant: (changes) => testTenant(installation, { ...services, ...changes }),
  };
};

const testTenant = (installation: string, services: VectorServices): TestTenant => {
  const slug = `t${randomBytes(4).toString("hex")}` as Slug;
  const tenantId = tenantIdOf("tests", slug);
  const tenant = { tenantId, slug, name: slug };
  const command: ProvisionCommand = {
    tenant,
    tier: "free",
    storage: { type: "none" },
    administrator: { email: "a@example.test", firstName: "A", lastName: "B" },
    inputs: {},
  };
  const undo: UndoCommand = { tenant, purpose: "compensate", reason: "a test" };
  const handler = vectorStep(services);
  const ledger = memoryLedger();
  const secrets = memorySecrets();
  let acts = 2;
  const context = (fence: number, crash: { readonly crashAfterCall?: number } = {}) =>
    testContext({ step: "vectors", tenant, installation, ledger, secrets, fence, ...crash });
  return {
    ...{ slug, tenantId, command, undo, handler, ledger, secrets },
    container: `${installation}-qdrant-${slug}`,
    volume: `${installation}_qdrant_${slug}_data`,
    provision: () => handler.provision(command, context(1)),
    act: (operation, sagaId = "removal", parameters = {}, crash = {}) => {
      const run = handler.operations?.[operation] ?? assert.fail(`no operation ${operation}`);
      acts += 1;
      return run(
        {
          ...{ tenant, operation, sagaId, parameters, inputs: {} },
          ...{ tier: "free", storage: "none" },
        },
        context(acts, crash),
      );
    },
    compensate: (changes) => handler.compensate({ ...undo, ...changes }, context(2)),
    apiKey: () => {
      const value = secrets.values.get(`${tenantId}/vectors.api-key`);
      assert.ok(value !== undefined, "no key was stored");
      return value;
    },
  };
};

/** The row of a part whose newest command has that fence. */
export const arrive = async (pool: Pool, { slug, step, tenantId, fence }: LeaseHolder): Promise<void> => {
  await pool.query(
    `INSERT INTO worker.parts (slug, step, tenant_id, fence) VALUES ($1, $2, $3, $4)
     ON CONFLICT (slug, step) DO UPDATE SET fence = excluded.fence`,
    [slug, step, tenantId, fence],
  );
};

// The contexts of these tests keep their fences in memory; here each write comes as the newest command.
const raisingFences = (leases: PortLeases, pool: Pool): PortLeases => {
  const raised =
    <T extends [LeaseHolder, ...unknown[]], R>(write: (...args: T) => Promise<R>) =>
    async (...args: T): Promise<R> => {
      await arrive(pool, args[0]);
      return write(...args);
    };
  return {
    find: leases.find,
    ensure: raised(leases.ensure),
    giveUp: raised(leases.giveUp),
    free: raised(leases.free),
  };
};

/** Holds a port of this host, as another program would, until the test ends. */
export const bindPort = async (port: number, { add: after }: CleanUps): Promise<void> => {
  const server = createServer((socket) => socket.destroy());
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject).listen(port, "127.0.0.1", resolve);
  });
  after(
    () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
      }),
  );
};
