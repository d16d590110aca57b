import type { AcceptResult } from "../../saga/inbox.ts";
import { askerOf } from "../asker.ts";
import type { ApiContext } from "../context.ts";
import { putIntoInbox } from "../inbox-row.ts";
import { Problem } from "../problem.ts";
import {
  acceptedShardSchema,
  acceptShardSchema,
  actorHeadersSchema,
  problemSchema,
  shardParamsSchema,
  shardsSchema,
} from "../schemas.ts";
import { readShardViews } from "../shard-store.ts";
import { unstorableField } from "../storable.ts";
import type { Api } from "../zod-types.ts";

const listSchema = {
  tags: ["shards"],
  summary: "The shards: how far their partitions are read, and why one stopped",
  response: { 200: shardsSchema, 401: problemSchema },
};

const acceptSchema = {
  tags: ["shards"],
  summary: "Give the position of a stopped partition up, and read it on",
  params: shardParamsSchema,
  headers: actorHeadersSchema,
  body: acceptShardSchema,
  response: {
    200: acceptedShardSchema.meta({ description: "the partition is read on" }),
    202: acceptedShardSchema.meta({ description: "waits for the shard's owner: see /v1/inbox/{inboxId}" }),
    400: problemSchema,
    401: problemSchema,
    404: problemSchema,
    409: problemSchema.meta({ description: "the partition is not stopped" }),
  },
};

/** GET /v1/shards, and the one act on a shard: a row in its inbox, as for sagas. */
export const shardRoutes = (app: Api, context: ApiContext): void => {
  app.get("/v1/shards", { schema: listSchema }, async () => ({ items: await readShardViews(context.db) }));

  app.post("/v1/shards/:shard/accept", { schema: acceptSchema }, async (request, reply) => {
    const {
      params: { shard },
      body: { stream, from, reason },
    } = request;
    if (unstorableField({ reason }) !== undefined)
      throw new Problem(400, "request-malformed", "reason: has a zero byte", "remove it", {
        field: "reason",
      });
    if (shard >= context.shards)
      throw new Problem(
        404,
        "shard-not-found",
        `there is no shard ${shard}: the last one is ${context.shards - 1}`,
        "list them with GET /v1/shards",
      );
    const asker = askerOf(request);
    const inboxId = await putIntoInbox(context.db, shard, { kind: "accept", stream, from, ...asker, reason });
    const result = await context.inbox.resultOf<AcceptResult>(inboxId, context.waitMs);
    const answer = { inboxId, shard, stream, from };
    context.log.info({ ...answer, by: asker.by, result }, "an operator acted");
    if (result === undefined)
      return reply
        .code(202)
        .header("location", `/v1/inbox/${inboxId}`)
        .send({ ...answer, next: null });
    if (!result.ok)
      throw new Problem(409, result.code, result.message, "look at GET /v1/shards: it may go on by now");
    return reply.code(200).send({ ...answer, next: result.next });
  });
};
