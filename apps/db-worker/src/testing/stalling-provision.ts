import { json } from "node:stream/consumers";
import type { Tenant } from "@deeplens/worker";
import { type StopAt, sayHowItEnded, stoppingAt, testContext } from "@deeplens/worker/testing";
import { provision } from "../provision.ts";
import { tenantDatabases } from "../tenant-databases.ts";
import { tenantKafka } from "../tenant-kafka.ts";
import { tenantRedis } from "../tenant-redis.ts";
import { openTestCluster } from "./kafka.ts";
import { openTenantServer } from "./postgres.ts";
import { openRedisServer } from "./redis.ts";
import { provisionOf } from "./tenants.ts";

// A process that provisions one tenant and stops itself, as SIGSTOP does, before or inside one of its calls. What it
// says at its end is how the step ended.

/** What it is told, by its standard input. */
export interface Stall extends StopAt {
  readonly tenant: Tenant;
  readonly workMs: number;
}

const stall = (await json(process.stdin)) as Stall;
const { tenant, workMs } = stall;
const [server, redis, cluster] = [openTenantServer(), openRedisServer(), await openTestCluster()];
const deadline = new Date(Date.now() + workMs);
const context = testContext({ step: "database", tenant, deadline, signal: AbortSignal.timeout(workMs) });
const parts = [tenantDatabases(server), tenantRedis(redis), tenantKafka(cluster)];
await sayHowItEnded(() => provision(parts, provisionOf(tenant), stoppingAt(context, stall)));
