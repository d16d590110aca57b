import type { TenantId } from "@deeplens/contracts";
import { slugFrom } from "@deeplens/contracts";
import type { StepContext } from "@deeplens/worker";
import { testContext } from "@deeplens/worker/testing";
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

const [slugText = "", tenantId = "", stopAt = "", where = "", workMs = ""] = process.argv.slice(2);
const tenant = { tenantId: tenantId as TenantId, slug: slugFrom(slugText), name: slugText };
const [server, redis, cluster] = [openTenantServer(), openRedisServer(), await openTestCluster()];
const deadline = new Date(Date.now() + Number(workMs));
const signal = AbortSignal.timeout(Number(workMs));
const real = testContext({ step: "database", tenant, deadline, signal });
const stop = (): void => void process.kill(process.pid, "SIGSTOP");
const call: StepContext["call"] = (name, effect, options) => {
  if (name !== stopAt) return real.call(name, effect, options);
  if (where === "before") stop();
  return real.call(
    name,
    (signal) => {
      const running = effect(signal);
      if (where === "inside") stop();
      return running;
    },
    options,
  );
};

const parts = [tenantDatabases(server), tenantRedis(redis), tenantKafka(cluster)];
try {
  await provision(parts, provisionOf(tenant), { ...real, call });
  console.log("provisioned");
} catch (error) {
  console.log(`${(error as Error).name}: ${(error as Error).message}`);
}
process.exit(0);
