import { drift, type Operation, probed } from "@deeplens/worker";
import type { Identity } from "./settle.ts";

/** Looks whether the Identity API still has the tenant that was made there. It gives nobody else's password to try. */
export const probeIdentity =
  (identity: Identity): Operation =>
  ({ tenant, inputs }, context) =>
    probed(context, {
      identity: async (signal) => {
        const found = await identity.api.find(tenant.slug, signal);
        const id = inputs["identity.tenantId"];
        if (found === undefined) throw drift(`the Identity API has no tenant ${tenant.slug}`);
        if (id !== undefined && found.id !== id)
          throw drift(`the Identity API's tenant ${tenant.slug} is ${found.id}, and ${id} was made`);
        return { tenant: found.id };
      },
    });
