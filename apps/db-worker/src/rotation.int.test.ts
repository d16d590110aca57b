import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import {
  applicationRoleName,
  databaseName,
  kafkaUserName,
  otherLogin,
  redisUserName,
  type TierName,
  tiers,
} from "@deeplens/contracts";
import { letsIn } from "@deeplens/messaging";
import {
  lifeOperations,
  type Rotation,
  repairBy,
  rotationOperations,
  type StepHandler,
  type StoredSecret,
  type Tenant,
} from "@deeplens/worker";
import { CrashError, memoryFences, memoryLedger, memorySecrets, testContext } from "@deeplens/worker/testing";
import { Redis } from "ioredis";
import { databaseLife, isEntryRefusal } from "./database-life.ts";
import { databaseRotation } from "./database-rotation.ts";
import { databaseTier } from "./database-tier.ts";
import type { KafkaCluster } from "./kafka-cluster.ts";
import { kafkaLife } from "./kafka-life.ts";
import { kafkaRotation } from "./kafka-rotation.ts";
import { lifeTogether, rotationTogether } from "./life.ts";
import { probeDatabase } from "./probe.ts";
import { provision } from "./provision.ts";
import { redisLife } from "./redis-life.ts";
import { redisRotation } from "./redis-rotation.ts";
import { asRedisUser, isLoginRefusal, type RedisServer } from "./redis-server.ts";
import { restoreOperations } from "./restore.ts";
import { databaseSecret, tenantDatabases } from "./tenant-databases.ts";
import { kafkaSecret, tenantKafka } from "./tenant-kafka.ts";
import { redisSecret, tenantRedis } from "./tenant-redis.ts";
import type { TenantServer } from "./tenant-server.ts";
import { assertNothingInKafka, openTestCluster, sweepKafka } from "./testing/kafka.ts";
import {
  assertNothingInPostgres,
  connected,
  openTenantServer,
  sweepPostgres,
  tenantAddress,
} from "./testing/postgres.ts";
import { assertNothingInRedis, openRedisServer, sweepRedis } from "./testing/redis.ts";
import { freshTenant, operationOf, provisionOf } from "./testing/tenants.ts";

let server: TenantServer;
let redis: RedisServer;
let cluster: KafkaCluster;
before(async () => {
  [server, redis, cluster] = [openTenantServer(), openRedisServer(), await openTestCluster()];
});
after(async () => {
  redis.admin.disconnect();
  await Promise.all([server.pool.end(), cluster.admin.disconnect()]);
});

const closedBy =
  (isExpected: (error: unknown) => boolean) =>
  (error: unknown): false => {
    if (isExpected(error)) return false;
    throw error;
  };

/** One of the three systems: what its tenant logs in with, and whether that gets in. */
const systems = {
  postgres: {
    purpose: databaseSecret,
    getsIn: (tenant: Tenant, { value, login }: StoredSecret): Promise<boolean> =>
      connected(tenantAddress(server, tenant, value, login), async (client) => {
        await client.query("SELECT count(*) FROM collections");
        return true;
      }).catch(closedBy(isEntryRefusal)),
  },
  redis: {
    purpose: redisSecret,
    getsIn: (tenant: Tenant, { value: password }: StoredSecret): Promise<boolean> =>
      asRedisUser(
        redis,
        { username: redisUserName(tenant.slug), password },
        async (client) => (await client.ping()) === "PONG",
      ).catch(closedBy(isLoginRefusal)),
  },
  kafka: {
    purpose: kafkaSecret,
    getsIn: (tenant: Tenant, { value: password, login }: StoredSecret): Promise<boolean> =>
      letsIn(
        { brokers: cluster.brokers, username: kafkaUserName(tenant.slug, login), password },
        AbortSignal.timeout(10_000),
      ),
  },
};
type System = keyof typeof systems;
const all = Object.keys(systems) as System[];

/** A tenant with its database, its share of Redis and its topic, and everything that is done to them. */
const made = async (only: readonly System[] = all) => {
  const tenant = freshTenant("rotate");
  const fences = memoryFences();
  const [ledger, secrets] = [memoryLedger(fences), memorySecrets(fences)];
  const steps = { postgres: tenantDatabases(server), redis: tenantRedis(redis), kafka: tenantKafka(cluster) };
  const lives = { postgres: databaseLife(server), redis: redisLife(redis), kafka: kafkaLife(cluster) };
  const rotations: Record<System, Rotation> = {
    postgres: databaseRotation(server),
    redis: redisRotation(redis),
    kafka: kafkaRotation(cluster),
  };
  const handler: Required<Pick<StepHandler, "operations">> = {
    operations: {
      ...lifeOperations(lifeTogether(only.map((system) => lives[system]))),
      ...rotationOperations(rotationTogether(only.map((system) => rotations[system]))),
      ...restoreOperations(server),
      tier: databaseTier(server),
      repair: repairBy((command, stepContext) =>
        provision(
          only.map((system) => steps[system]),
          command,
          stepContext,
        ),
      ),
      probe: probeDatabase({ server, redis, cluster }),
    },
  };
  let fence = 0;
  const context = (crash: { crashAfterCall?: number } = {}) => {
    fence += 1;
    fences.raise({ slug: tenant.slug, step: "database", fence });
    return testContext({ step: "database", tenant, fence, ledger, secrets, ...crash });
  };
  await provision(
    only.map((system) => steps[system]),
    provisionOf(tenant),
    context(),
  );
  return {
    tenant,
    ledger,
    act: async (
      operation: string,
      sagaId = "a rotation",
      told: { parameters?: Record<string, string>; tier?: TierName; crashAfterCall?: number } = {},
    ) => {
      const run = handler.operations[operation] ?? assert.fail(operation);
      const { parameters = {}, tier = "free", ...crash } = told;
      return run({ ...operationOf(tenant, operation), sagaId, parameters, tier }, context(crash));
    },
    /** The newest versions of what the tenant logs in with. */
    newest: async () => {
      const of = secrets.of(tenant.tenantId);
      const newest = async (system: System): Promise<StoredSecret> =>
        (await of.versions(systems[system].purpose))[0] ?? assert.fail(system);
      return Promise.all(only.map(newest));
    },
    /** Whether each of them gets in. */
    enter: (credentials: readonly StoredSecret[]): Promise<boolean[]> =>
      Promise.all(
        only.map((system, place) =>
          systems[system].getsIn(tenant, credentials[place] ?? assert.fail(system)),
        ),
      ),
    dispose: () =>
      Promise.all([sweepPostgres(server, tenant), sweepRedis(redis, tenant), sweepKafka(cluster, tenant)]),
  };
};
const yes = [true, true, true];
const no = [false, false, false];

// Seen to fail with an end that leaves the first role its login, one that does not set Redis's passwords, and one that
// leaves the old Kafka user.
test("old and new credentials open everything together, until the old ones are ended; the next rotation turns back", async () => {
  const acme = await made();
  try {
    for (const rotation of ["first", "second"]) {
      const old = await acme.newest();
      const { outputs, receipt } = await acme.act("rotate", rotation);
      const fresh = await acme.newest();
      assert.deepEqual(
        receipt.map(({ outcome }) => outcome),
        ["both-answer", "both-answer", "both-answer"],
      );
      const login = otherLogin(old[0]?.login ?? 1);
      assert.equal(outputs.applicationRole, applicationRoleName(acme.tenant.slug, login));
      assert.equal(outputs.kafkaUser, kafkaUserName(acme.tenant.slug, login));
      assert.deepEqual((await acme.act("rotate", rotation)).outputs, outputs);
      assert.deepEqual(await acme.newest(), fresh);
      assert.deepEqual([await acme.enter(old), await acme.enter(fresh)], [yes, yes]);
      const session = new Redis({
        ...{ host: redis.host, port: redis.port, username: redisUserName(acme.tenant.slug) },
        ...{ password: old[1]?.value ?? "", retryStrategy: () => null, maxRetriesPerRequest: 0 },
      });
      session.on("error", () => undefined);
      await session.ping();
      for (const _again of [1, 2]) await acme.act("rotate-end", rotation);
      await assert.rejects(session.ping(), { message: "Connection is closed." });
      assert.deepEqual([await acme.enter(old), await acme.enter(fresh)], [no, yes]);
    }
  } finally {
    await acme.dispose();
  }
});

// Seen to fail with an undo that leaves the second login.
test("rule 17: a rotation takes back its own new credentials and no others", async () => {
  const acme = await made();
  try {
    const old = await acme.newest();
    await acme.act("rotate-undo");
    assert.deepEqual(await acme.enter(old), yes);
    await acme.act("rotate");
    const fresh = await acme.newest();
    for (const _again of [1, 2]) await acme.act("rotate-undo");
    assert.deepEqual(await acme.newest(), old);
    assert.deepEqual([await acme.enter(old), await acme.enter(fresh)], [yes, no]);
    // The next one makes others, under the same second logins.
    await acme.act("rotate", "the next one");
    assert.deepEqual([await acme.enter(old), await acme.enter(await acme.newest())], [yes, yes]);
    assert.deepEqual(await acme.enter(fresh), no);
  } finally {
    await acme.dispose();
  }
});

// Seen to fail without the question for the marks; with a suspension, a probe, a tier, a repair and a purge that know the
// first logins alone.
test("suspension, undelete, probe, tier, repair, restore and purge know the logins that a rotation gave", async () => {
  const acme = await made();
  const { slug } = acme.tenant;
  try {
    await acme.act("rotate");
    await acme.act("rotate-end");
    const rotated = await acme.newest();
    assert.equal((await acme.act("probe")).outputs.ok, "true");
    await acme.act("tier", "a tier", { parameters: { tier: "professional" } });
    const { rows } = await server.pool.query("SELECT rolconnlimit FROM pg_roles WHERE rolname = ANY ($1)", [
      [applicationRoleName(slug), applicationRoleName(slug, 2)],
    ]);
    const { databaseConnections: rolconnlimit } = tiers.professional;
    assert.deepEqual(rows, [{ rolconnlimit }, { rolconnlimit }]);
    const probe = await acme.act("probe", "health", { tier: "professional" });
    assert.equal(probe.outputs.ok, "true", probe.outputs.reason);

    const { outputs } = await acme.act("repair", "a repair", { tier: "professional" });
    assert.deepEqual(
      [outputs.applicationRole, outputs.kafkaUser],
      [applicationRoleName(slug, 2), kafkaUserName(slug, 2)],
    );
    await assert.rejects(
      connected(tenantAddress(server, acme.tenant, rotated[0]?.value ?? "", 1), async () => undefined),
      isEntryRefusal,
    );

    await acme.act("restore-open");
    await acme.act("restore-switch");
    assert.deepEqual(await acme.enter(rotated), yes);

    const { receipt } = await acme.act("suspend", "removal");
    assert.deepEqual(
      receipt.map(({ name, outcome }) => [name, outcome]),
      [
        [databaseName(slug), "refused"],
        [applicationRoleName(slug, 2), "refused"],
        [redisUserName(slug), "refused"],
        [kafkaUserName(slug, 2), "refused"],
      ],
    );
    assert.deepEqual(await acme.enter(rotated), no);
    for (const operation of ["rotate", "rotate-end", "rotate-undo"])
      await assert.rejects(acme.act(operation), { code: "suspended" });
    await acme.act("resume", "removal", { parameters: { credentials: "new" } });
    const anew = await acme.newest();
    assert.deepEqual(
      anew.map(({ login }) => login),
      rotated.map(({ login }) => login),
    );
    assert.deepEqual([await acme.enter(rotated), await acme.enter(anew)], [no, yes]);

    await acme.act("rotate", "in the middle of it");
    await acme.act("suspend", "removal");
    assert.deepEqual([await acme.enter(anew), await acme.enter(await acme.newest())], [no, no]);
    await acme.act("purge", "removal");
    await acme.act("purge", "removal", { parameters: { purpose: "second-look" } });
    await assertNothingInPostgres(server, acme.tenant);
    await assertNothingInRedis(redis, acme.tenant);
    await assertNothingInKafka(cluster, acme.tenant);
    assert.ok(acme.ledger.rows().every(({ state }) => state === "gone"));
  } finally {
    await acme.dispose();
  }
});

// Seen to fail with roles that are made without a look, and an undo that closes nothing where it has nothing to withdraw.
// Each crash costs Kafka a second: it dies after every third call.
const strides: Record<System, number> = { postgres: 1, redis: 1, kafka: 3 };
for (const system of all)
  test(`rule 12: ${system}: a rotation, its end or its undo that dies after any call is done again`, async (t) => {
    const expected = { rotate: [true, true], "rotate-end": [false, true], "rotate-undo": [true, false] };
    const acme = await made([system]);
    try {
      for (const [operation, gets] of Object.entries(expected))
        for (let crashAfterCall = 1, finished = false; !finished; crashAfterCall += strides[system])
          await t.test(`${operation} dies after call ${crashAfterCall}`, async () => {
            const sagaId = `${operation} ${crashAfterCall}`;
            const old = await acme.newest();
            if (operation !== "rotate") await acme.act("rotate", sagaId);
            const before = await acme.newest();
            finished = await acme.act(operation, sagaId, { crashAfterCall }).then(
              () => true,
              (error: unknown) => {
                if (error instanceof CrashError) return false;
                throw error;
              },
            );
            await acme.act(operation, sagaId);
            const fresh = operation === "rotate" ? await acme.newest() : before;
            assert.deepEqual([...(await acme.enter(old)), ...(await acme.enter(fresh))], gets);
            if (operation === "rotate") await acme.act("rotate-end", sagaId);
          });
    } finally {
      await acme.dispose();
    }
  });
