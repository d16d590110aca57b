import { randomUUID } from "node:crypto";
import type { TenantProvisioned, TenantProvisioningFailed, TenantState } from "@deeplens/contracts";
import { createConsumer, type EachMessagePayload, runConsumer } from "@deeplens/messaging";
import { messageIn, type Reader } from "./reader.ts";
import { createRevisions } from "./revisions.ts";

/** What is said of a tenant. `provisioned` and `failed` are the end of it. */
export type TenantNews =
  | { readonly type: "state"; readonly state: TenantState }
  | { readonly type: "provisioned"; readonly event: TenantProvisioned }
  | { readonly type: "failed"; readonly event: TenantProvisioningFailed };

// The topic of states keeps the latest of each tenant for ever, that of events a month: an old tenant has no event.
const waitForEventMs = 3_000;

/**
 * What the topics say of one tenant, older revisions left out, until it is ready, refused or rolled back. Reads them
 * from their beginning, in a consumer group of its own that is deleted afterwards.
 */
export async function* followTenant(
  reader: Reader,
  tenant: { tenantId: string; slug: string },
  signal?: AbortSignal,
): AsyncGenerator<TenantNews> {
  const groupId = `${reader.installation}.follow-${randomUUID()}`;
  const consumer = createConsumer(reader.kafka, { groupId });
  const news: TenantNews[] = [];
  let wake: () => void = () => undefined;
  const states = createRevisions();
  const eachMessage = async ({ message: record }: EachMessagePayload): Promise<void> => {
    // Keys are slugs: most records are passed over unread.
    if ((record.key?.toString() ?? "") !== tenant.slug) return;
    const message = await messageIn(reader, record);
    if (message === undefined || !("tenantId" in message.value)) return;
    if (message.value.tenantId !== tenant.tenantId) return;
    switch (message.record) {
      case "TenantState":
        if (!states.isNews(tenant.tenantId, message.value.revision)) return;
        states.saw(tenant.tenantId, message.value.revision);
        news.push({ type: "state", state: message.value });
        break;
      case "TenantProvisioned":
        news.push({ type: "provisioned", event: message.value });
        break;
      case "TenantProvisioningFailed":
        news.push({ type: "failed", event: message.value });
        break;
      default:
        return;
    }
    wake();
  };
  const onAbort = (): void => wake();
  signal?.addEventListener("abort", onAbort);
  let running: { stop(): void } | undefined;
  try {
    await consumer.connect();
    await consumer.subscribe({ topics: [reader.state, reader.lifecycle], fromBeginning: true });
    running = await runConsumer(consumer, { eachMessage }, { log: reader.log });
    let settled = false;
    while (signal?.aborted !== true) {
      const one = news.shift();
      if (one === undefined) {
        const heard = await new Promise<boolean>((resolve) => {
          wake = () => resolve(true);
          if (settled) setTimeout(() => resolve(false), waitForEventMs);
        });
        if (!heard) return;
        continue;
      }
      yield one;
      if (one.type !== "state") return;
      settled = !["provisioning", "compensating", "stuck"].includes(one.state.state);
    }
  } finally {
    signal?.removeEventListener("abort", onAbort);
    running?.stop();
    await consumer.disconnect();
    // Kafka forgets a group without members by itself, some days later.
    await reader.admin
      .deleteGroups([groupId])
      .catch((error: Error) => reader.log.warn({ groupId, reason: error.message }, "the group stays"));
  }
}
