import { byosCredentialsOf } from "@deeplens/contracts";
import { askerOf } from "../asker.ts";
import { recordAct } from "../audit.ts";
import type { ApiContext } from "../context.ts";
import { Problem } from "../problem.ts";
import { actorHeadersSchema, dropOffSchema, droppedOffSchema, problemSchema } from "../schemas.ts";
import type { Api } from "../zod-types.ts";

const schema = {
  tags: ["tenants"],
  summary:
    "Drop credentials off for a tenant's own storage; they are encrypted at once and never shown again",
  headers: actorHeadersSchema,
  body: dropOffSchema,
  response: {
    201: droppedOffSchema,
    400: problemSchema,
    401: problemSchema,
    422: problemSchema.meta({ description: "no such credentials; what was sent is not repeated" }),
  },
};

/** POST /v1/secrets: what a request names by reference, so that no message ever holds it. */
export const secretRoutes = (app: Api, { db, dropOffs, dropOffMs, log }: ApiContext): void => {
  app.post("/v1/secrets", { schema }, async (request, reply) => {
    const { body } = request;
    const checked = byosCredentialsOf(body.credentials);
    if (!checked.ok)
      throw new Problem(
        422,
        checked.rejection.code,
        checked.rejection.message,
        "send them as their vendor gives them",
        { field: "credentials" },
      );
    const { provider } = checked.credentials;
    const { by, origin } = askerOf(request);
    const { reference, expiresAt } = await dropOffs.put({
      ...{ kind: provider, value: JSON.stringify(checked.credentials), by, lifeMs: dropOffMs },
    });
    await recordAct(db, {
      ...{
        actor: by,
        origin,
        action: "secret.drop-off",
        subject: reference,
        reason: provider,
        outcome: "stored",
      },
    });
    log.info({ reference, provider, by, expiresAt }, "credentials were dropped off");
    return reply
      .code(201)
      .header("cache-control", "no-store")
      .send({ reference, provider, expiresAt: expiresAt.toISOString() });
  });
};
