import { type Operation, probed } from "@deeplens/worker";
import { inStoredPlace } from "./operations.ts";
import type { Reach } from "./place.ts";
import { askingOf, noNote, probeKeyOf, prove } from "./prove.ts";

const dailyMs = 23 * 3_600_000;

/**
 * Looks at a tenant's own place with its own credentials: every time whether they may still list and read; once a day,
 * and for as long as something is ill, all of the proof that stood before ready. (Where versions are kept every proof
 * leaves one in the tenant's cloud, so not with each look.) The fact `provenAt` says when that was.
 */
export const probeByos = (reach: Reach): Operation => {
  const provenAt = new Map<string, Date>();
  return ({ tenant }, context) =>
    probed(context, {
      place: async () => {
        const last = provenAt.get(tenant.tenantId);
        provenAt.delete(tenant.tenantId);
        const at = await inStoredPlace(tenant.slug, context, reach, async (place) => {
          if (last === undefined || Date.now() - last.getTime() > dailyMs) {
            await prove(context, tenant, place, noNote);
            return new Date();
          }
          const asking = askingOf(context, tenant, place);
          const key = probeKeyOf(place, tenant);
          await asking("list", (signal) => place.cloud.list(key, signal));
          await asking("read", (signal) => place.cloud.read(key, signal));
          return last;
        });
        provenAt.set(tenant.tenantId, at);
        return { provenAt: at.toISOString() };
      },
    });
};
