/** What `npm start` does once the stack runs: provisions the tenant `acme` over Kafka, as an upstream service would. */
import { spawn } from "node:child_process";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { acmeText, type TenantStatus } from "./demo-text.ts";
import { projectRoot } from "./stack/project-root.ts";
import type { Stack } from "./stack/up.ts";

const slug = "acme";
const upstreamService = join(projectRoot, "libs/client/src/examples/order-tenant.ts");
const tenantctlBin = join(projectRoot, "apps/tenantctl/bin/tenantctl.mjs");

// A rolled-back name is free after a last look for late effects, which takes some minutes.
const releaseMs = 600_000;

/**
 * in: the stack that is up, the fleet included. Requests `acme` on Kafka where it is not there, follows it with live
 * progress, and gives the text that `npm start` ends with. Throws an Error made for a person.
 */
export async function demo(stack: Stack): Promise<string> {
  const { installation, stackFile } = stack.state;
  const tenantctl = [tenantctlBin, "--installation", installation];
  let acme = await statusOf(tenantctl);
  let ordered: Promise<Pick<Ended, "code">> = Promise.resolve({ code: 0 });
  if (acme !== undefined && acme.state !== "rolled-back") {
    console.log(`...   the tenant ${slug} is there already`);
  } else {
    if (acme !== undefined) await nameIsFree(installation, tenantctl);
    // The same id at every first start, so that it stays one request; one of its own after a rollback.
    const requestId = acme === undefined ? slug : `${slug}-${Date.now()}`;
    const order = run([upstreamService, stackFile, requestId, slug], "inherit");
    // The order waits for its answer on Kafka; its saga is followed as soon as there is one.
    acme = await begun(tenantctl, order);
    ordered = order;
  }
  if (acme?.saga != null && acme.state !== "ready") {
    const watched = await run([...tenantctl, "watch", acme.saga.sagaId], "inherit");
    if (watched.code !== 0) throw notReady(installation);
    acme = await statusOf(tenantctl);
  }
  if (acme === undefined || (await ordered).code !== 0) throw notReady(installation);
  return acmeText(installation, acme);
}

/** The tenant once its saga has begun, or as it is when the order has ended. */
async function begun(tenantctl: readonly string[], order: Promise<Ended>): Promise<TenantStatus | undefined> {
  let isOver = false;
  void order.then(() => {
    isOver = true;
  });
  for (;;) {
    const last = isOver;
    const acme = await statusOf(tenantctl);
    if (last || (acme !== undefined && acme.state !== "rolled-back")) return acme;
    await delay(200);
  }
}

async function nameIsFree(installation: string, tenantctl: readonly string[]): Promise<void> {
  console.log(
    `...   the last ${slug} was rolled back; waiting until its name is free (some minutes at most)`,
  );
  for (const endMs = performance.now() + releaseMs; performance.now() < endMs; await delay(2_000)) {
    const status = (await statusOf(tenantctl))?.saga?.status ?? "closed";
    if (status === "closed") return;
    if (status === "stuck") break;
  }
  throw new Error(
    `The name ${slug} was not freed: see npx tenantctl status ${slug} --installation ${installation}`,
  );
}

const notReady = (installation: string): Error =>
  new Error(
    `The tenant ${slug} is not ready; the lines above say why. The services' logs: docker logs ${installation}-<service>. When the reason is gone, run npm start again.`,
  );

/** The tenant as tenantctl knows it; undefined where there is none. */
async function statusOf(tenantctl: readonly string[]): Promise<TenantStatus | undefined> {
  const { code, stdout } = await run([...tenantctl, "status", slug, "--json"], "pipe");
  if (code === null || stdout === "")
    throw new Error(`tenantctl status ${slug} was ended; run npm start again.`);
  const answer = JSON.parse(stdout);
  if (code === 0) return answer;
  if (answer.error.code === "tenant-not-found") return undefined;
  throw new Error(`${answer.error.message}\n  what to do: ${answer.error.next}`);
}

type Ended = { readonly code: number | null; readonly stdout: string };

/** Runs a script of the project's on this Node. */
function run(args: readonly string[], output: "inherit" | "pipe"): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, args, { stdio: ["inherit", output, "inherit"] });
    let stdout = "";
    child.stdout?.on("data", (chunk) => {
      stdout += String(chunk);
    });
    child.on("error", reject).on("close", (code) => resolve({ code, stdout }));
  });
}
