/** What `npm start` does once the stack runs: provisions the tenant `acme` over Kafka, as an upstream service would. */
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import {
  type ApiClient,
  ApiProblem,
  connectTenants,
  createApiClient,
  type Saga,
  type Tenant,
} from "@deeplens/client";
import { createLogger } from "@deeplens/telemetry";
import { acmeText } from "./demo-text.ts";
import { projectRoot } from "./stack/project-root.ts";
import { describeStack } from "./stack/stack-file.ts";
import type { Stack } from "./stack/up.ts";

const slug = "acme";
const pollMs = 300;
const answerMs = 60_000;
// A rolled-back name is free after a last look for late effects, which takes some minutes.
const releaseMs = 600_000;

/**
 * in: the stack that is up, the fleet included. Requests `acme` on Kafka where it is not there, follows it with live
 * progress, and gives the text that `npm start` ends with. Throws an Error made for a person.
 */
export async function demo(stack: Stack): Promise<string> {
  const { api: address } = describeStack(stack.state, stack.ports, []);
  const api = createApiClient({
    url: address.url,
    token: readFileSync(address.tokenFile, "utf8").trim(),
    actor: "npm start",
  });
  const known = await tenantOf(api, slug);
  const there = known !== undefined && known.state !== "rolled-back";
  if (there) console.log(`...   the tenant ${slug} is there already`);
  const saga = there ? await sagaOf(api, known) : await request(stack, api, known);
  // A saga that is ready or was pruned has nothing left to follow.
  if (saga !== undefined && (!there || saga.status !== "ready")) await follow(stack, saga.sagaId);
  const tenant = await api.tenant(slug);
  return acmeText(
    stack.state.installation,
    tenant,
    saga === undefined ? undefined : await api.saga(saga.sagaId),
  );
}

async function request(stack: Stack, api: ApiClient, before: Tenant | undefined): Promise<Saga> {
  if (before !== undefined) await nameIsFree(api, before);
  const { installation } = stack.state;
  const { kafka, schemaRegistry } = describeStack(stack.state, stack.ports, []);
  const client = await connectTenants({
    installation,
    kafka: { ...kafka, password: readFileSync(kafka.passwordFile, "utf8").trim() },
    schemaRegistryUrl: schemaRegistry.url,
    source: `/${installation}/demo`,
    log: createLogger("demo", "fatal"),
  });
  const asked = new AbortController();
  try {
    const { tenantId } = await client.requestTenant({
      // The same id at every first start, so that it stays one request; one of its own after a rollback.
      requestId: before === undefined ? slug : `${slug}-${Date.now()}`,
      name: slug,
      tier: "free",
      storage: { type: "deeplens" },
      administrator: { email: "admin@acme.example", firstName: "Ada", lastName: "Acme" },
    });
    console.log(`...   TenantProvisioningRequested for ${slug} is on ${installation}.tenants.requests`);
    const refused = refusalOf(client.followTenant({ tenantId, slug }, asked.signal));
    return await Promise.race([begun(api, tenantId), refused]);
  } finally {
    asked.abort();
    await client.close();
  }
}

/** Waits until the orchestrator made the tenant's saga. */
async function begun(api: ApiClient, tenantId: string): Promise<Saga> {
  for (const endMs = performance.now() + answerMs; performance.now() < endMs; await delay(pollMs)) {
    const tenant = await tenantOf(api, tenantId);
    const saga = tenant === undefined ? undefined : await sagaOf(api, tenant);
    if (saga !== undefined) return saga;
  }
  throw new Error(
    `The request for ${slug} was not taken within ${answerMs / 1_000} s. Its orchestrator says why: docker logs the container of saga-orchestrator; then run npm start again.`,
  );
}

/** Throws when the request is refused before a saga begins; never resolves otherwise. */
async function refusalOf(news: ReturnType<Awaited<ReturnType<typeof connectTenants>>["followTenant"]>) {
  for await (const one of news)
    if (one.type === "failed" && one.event.sagaId === null)
      throw new Error(`The request for ${slug} was refused: ${one.event.message} (${one.event.code})`);
  return new Promise<never>(() => undefined);
}

/** After a rollback the name stays taken for a while. */
async function nameIsFree(api: ApiClient, before: Tenant): Promise<void> {
  console.log(
    `...   the last ${slug} was rolled back; waiting until its name is free (some minutes at most)`,
  );
  for (const endMs = performance.now() + releaseMs; performance.now() < endMs; await delay(1_000)) {
    const saga = await sagaOf(api, before);
    if (saga === undefined || saga.status === "closed") return;
    if (saga.status === "stuck")
      throw new Error(`The rollback of ${slug} is stuck: see npx tenantctl status ${slug}`);
  }
  throw new Error(
    `The name ${slug} was not freed within ${releaseMs / 60_000} minutes: npx tenantctl saga ${slug}`,
  );
}

/** tenantctl shows the progress: what a person would use. */
async function follow(stack: Stack, sagaId: string): Promise<void> {
  const tenantctl = join(projectRoot, "apps/tenantctl/bin/tenantctl.mjs");
  const args = [tenantctl, "watch", sagaId, "--installation", stack.state.installation];
  const code = await new Promise<number | null>((resolve, reject) => {
    spawn(process.execPath, args, { stdio: "inherit" }).on("close", resolve).on("error", reject);
  });
  if (code !== 0)
    throw new Error(
      `The tenant ${slug} is not ready; the lines above say why. Logs: docker logs ${stack.state.installation}-<service>; when the reason is gone, run npm start again.`,
    );
}

async function tenantOf(api: ApiClient, reference: string): Promise<Tenant | undefined> {
  try {
    return await api.tenant(reference);
  } catch (error) {
    if (error instanceof ApiProblem && error.problem.code === "tenant-not-found") return undefined;
    throw error;
  }
}

const sagaOf = async (api: ApiClient, { sagaId }: Tenant): Promise<Saga | undefined> =>
  sagaId === null ? undefined : api.saga(sagaId);
