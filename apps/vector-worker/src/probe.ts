import { drift, needed, type Operation, probed } from "@deeplens/worker";
import { look } from "./qdrant.ts";
import { apiKeyPurpose, tenantQdrant, urlOf, type VectorServices } from "./tenant-qdrant.ts";

/** Looks at a tenant's Qdrant with the tenant's own key; changes nothing. */
export const probeVectors =
  (services: VectorServices): Operation =>
  ({ tenant, inputs }, context) =>
    probed(context, {
      vectors: async (signal) => {
        const qdrant = tenantQdrant(tenant, context);
        const container = await services.engine.container(qdrant.container, { signal });
        if (container === undefined) throw drift(`the container ${qdrant.container} is not there`);
        if (container.state !== "running")
          throw drift(`the container ${qdrant.container} is ${container.state}`);
        const [httpPort, grpcPort] = [Number(inputs["vectors.httpPort"]), Number(inputs["vectors.grpcPort"])];
        if (!container.ports.some(({ host }) => host === httpPort))
          throw drift(`the container ${qdrant.container} does not publish port ${httpPort}`);
        const seen = await look(
          {
            url: urlOf(services, qdrant, { httpPort, grpcPort }),
            apiKey: needed(await context.secrets.read(apiKeyPurpose), "the tenant's key"),
          },
          signal,
        );
        const collection = inputs["vectors.collection"] ?? services.collection.name;
        const points = seen.points[collection];
        if (points === undefined) throw drift(`the collection ${collection} is not there`);
        return {
          version: seen.version,
          collections: String(Object.keys(seen.points).length),
          points: String(Object.values(seen.points).reduce((sum, one) => sum + one, 0)),
          memoryBytes: String(await services.engine.memoryInUse(qdrant.container, { signal })),
        };
      },
    });
