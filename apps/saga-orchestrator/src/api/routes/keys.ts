import { askerOf } from "../asker.ts";
import { recordAct } from "../audit.ts";
import type { ApiContext } from "../context.ts";
import { actorHeadersSchema, keysSchema, problemSchema, rewrappedSchema, rewrapSchema } from "../schemas.ts";
import type { Api } from "../zod-types.ts";

const listSchema = {
  tags: ["keys"],
  summary: "The versions of the master key, and how many secrets are under each",
  response: { 200: keysSchema, 401: problemSchema },
};

const rewrapRouteSchema = {
  tags: ["keys"],
  summary: "Encrypt some of the secrets that are under an older master key under the current one",
  headers: actorHeadersSchema,
  body: rewrapSchema,
  response: {
    200: rewrappedSchema.meta({ description: "repeat it until nothing is left" }),
    400: problemSchema,
    401: problemSchema,
  },
};

/** GET /v1/keys, and the step of a rotation: each call is a transaction of its own, so it can stop anywhere. */
export const keyRoutes = (app: Api, { db, keys, log }: ApiContext): void => {
  app.get("/v1/keys", { schema: listSchema }, async () => {
    const { current, versions } = await keys.inUse();
    return { current, versions: [...versions] };
  });

  app.post("/v1/keys/rewrap", { schema: rewrapRouteSchema }, async (request) => {
    const { body } = request;
    const { by, origin } = askerOf(request);
    const { current } = await keys.inUse();
    const record = (outcome: string): Promise<void> =>
      recordAct(db, {
        actor: by,
        origin,
        action: "keys.rewrap",
        subject: current,
        reason: body.reason,
        outcome,
      });
    const done = await keys.rewrap(body.atMost).catch(async (error: Error) => {
      await record("failed");
      throw error;
    });
    await record(`moved ${done.moved}, left ${done.left}`);
    log.info({ ...done, current, by }, "secrets were encrypted under the current master key");
    return { current, ...done };
  });
};
