/**
 * What an upstream service does to get a tenant: publishes TenantProvisioningRequested, and waits on Kafka until the
 * orchestrator took it (exit code 0) or refused it (exit code 2). `npm start` orders `acme` with it.
 *
 * node order-tenant.ts <stack.json> <request id> <name>
 */
import { readFileSync } from "node:fs";
import { createLogger } from "@deeplens/telemetry";
import { connectTenants } from "../index.ts";

const [stackFile, requestId, name] = process.argv.slice(2);
if (stackFile === undefined || requestId === undefined || name === undefined) {
  console.error("usage: order-tenant.ts <stack.json> <request id> <name>");
  process.exit(2);
}
const stack = JSON.parse(readFileSync(stackFile, "utf8"));
const { brokers, username, passwordFile } = stack.kafka;
const client = await connectTenants({
  installation: stack.installation,
  kafka: { brokers, username, password: readFileSync(passwordFile, "utf8").trim() },
  schemaRegistryUrl: stack.schemaRegistry.url,
  source: `/${stack.installation}/orders`,
  log: createLogger("order-tenant", "fatal"),
});
const tenant = await client.requestTenant({
  requestId,
  name,
  tier: "free",
  storage: { type: "deeplens" },
  administrator: { email: `admin@${name}.example`, firstName: "Ada", lastName: "Lovelace" },
});
console.log(`TenantProvisioningRequested for ${name} is on ${stack.installation}.tenants.requests`);
const patience = AbortSignal.timeout(60_000);
for await (const news of client.followTenant(tenant, patience)) {
  if (news.type === "failed" && news.event.sagaId === null) {
    console.error(`the request was refused: ${news.event.message} (${news.event.code})`);
    process.exitCode = 2;
  }
  break;
}
if (patience.aborted) {
  console.error("nobody took the request within 60 s: does the orchestrator run? See its container's log.");
  process.exitCode = 1;
}
await client.close();
