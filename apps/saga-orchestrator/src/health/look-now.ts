import { setTimeout as delay } from "node:timers/promises";
import type { ApiContext } from "../api/context.ts";
import { askNow, type PartHealth, readHealth, syncTenant } from "./probe-rows.ts";
import { tellChanges } from "./watch.ts";

// A worker that is there looks within a second, and a thing that does not answer takes it twice ten.
const longestLookMs = 24_000;
const pollMs = 100;

/** Has the parts of a ready tenant looked at now, and waits for it; `healthy` is null for a part that nobody looked at. */
export const lookNow = async (
  { db, healthEveryMs }: Pick<ApiContext, "db" | "healthEveryMs">,
  tenantId: string,
): Promise<readonly PartHealth[]> => {
  await syncTenant(db.pool, db.tables.tenants, healthEveryMs, tenantId);
  const asked = await askNow(db.pool, tenantId);
  const isNew = ({ checkedAt }: PartHealth): boolean => checkedAt !== null && checkedAt > asked;
  let parts = await readHealth(db.pool, tenantId);
  for (const until = Date.now() + longestLookMs; !parts.every(isNew) && Date.now() < until; ) {
    await delay(pollMs);
    parts = await readHealth(db.pool, tenantId);
  }
  await tellChanges(db, tenantId);
  return parts.map((part) => (isNew(part) ? part : { ...part, healthy: null }));
};
