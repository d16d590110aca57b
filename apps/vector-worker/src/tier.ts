import {
  missing,
  type Operation,
  operationDone,
  ownResource,
  PermanentStepError,
  wantedTier,
} from "@deeplens/worker";
import { containerResource, limitsOf, tenantQdrant, type VectorServices } from "./tenant-qdrant.ts";

/**
 * Gives a tenant's Qdrant the memory and the processors of another tier, without a new start. Where it has more memory
 * in use than that, the kernel would end it over and over: a preview says so by `overMemory`, and it is refused.
 *
 * @throws PermanentStepError `over-memory`: nothing was changed
 */
export const vectorTier =
  (services: VectorServices): Operation =>
  async (command, context) => {
    const { tenant } = command;
    const { tier, preview } = wantedTier(command);
    const qdrant = tenantQdrant(tenant, context);
    const resource = containerResource(services, qdrant, context.installation);
    const key = { kind: resource.kind, name: resource.name };
    if ((await ownResource(context, tenant, resource)) === "absent") throw missing(key, tenant.slug);
    const limits = limitsOf(tier);
    const inUse = await context.call("measure qdrant-container", (signal) =>
      services.engine.memoryInUse(qdrant.container, { signal }),
    );
    const over = inUse > limits.memoryBytes;
    if (!preview && over)
      throw new PermanentStepError(
        "over-memory",
        `the vectors of tenant ${tenant.slug} have ${inUse} bytes of memory in use, and tier ${tier} allows ${limits.memoryBytes}: nothing was changed. Remove points, or choose a larger tier`,
      );
    if (!preview) {
      await context.ledger.made(key, { tier });
      await context.call("limit qdrant-container", (signal) =>
        services.engine.setLimits(qdrant.container, limits, { signal }),
      );
    }
    return operationDone([{ ...key, outcome: preview ? "looked-at" : "limited" }], {
      memoryBytes: String(limits.memoryBytes),
      cpus: String(limits.cpus),
      memoryInUse: String(inUse),
      overMemory: String(over),
    });
  };
