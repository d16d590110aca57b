import { setTimeout as delay } from "node:timers/promises";
import type { Saga, TenantWish } from "@deeplens/client";
import type { Installation } from "./support.ts";

/** A request for a tenant, as an upstream service sends it; `over` changes what the test is about. */
export const wishFor = (slug: string, over: Partial<TenantWish> = {}): TenantWish => ({
  requestId: `order-${slug}`,
  name: slug,
  tier: "free",
  storage: { type: "deeplens" },
  administrator: { email: `admin@${slug}.example`, firstName: "Ada", lastName: "Lovelace" },
  ...over,
});

export interface Ended {
  readonly tenantId: string;
  readonly slug: string;
  readonly saga: Saga;
}

/** Orders a tenant over Kafka and waits until its saga is ready, rolled back or stuck. */
export const order = async (
  installation: Installation,
  wish: TenantWish,
  withinMs = 180_000,
): Promise<Ended> => {
  const { tenantId, slug } = await installation.tenants.requestTenant(wish);
  return { tenantId, slug, saga: await untilEnded(installation, tenantId, withinMs) };
};

/** Waits until the tenant's saga is ready, rolled back or stuck. @throws after `withinMs` */
export const untilEnded = async (
  { api }: Installation,
  tenantId: string,
  withinMs: number,
): Promise<Saga> => {
  const endMs = Date.now() + withinMs;
  for (;;) {
    const saga = await api
      .tenant(tenantId)
      .then(({ sagaId }) => (sagaId === null ? undefined : api.saga(sagaId)))
      .catch(() => undefined); // Not accepted yet, or the API does not answer just now.
    if (saga !== undefined && ["ready", "rolled-back", "closed", "stuck"].includes(saga.status)) return saga;
    if (Date.now() > endMs)
      throw new Error(
        `the saga of ${tenantId} did not end in ${withinMs} ms: ${JSON.stringify(saga?.steps)}`,
      );
    await delay(250);
  }
};
