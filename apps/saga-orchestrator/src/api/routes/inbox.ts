import type { ApiContext } from "../context.ts";
import { readInbox } from "../inbox-row.ts";
import { Problem } from "../problem.ts";
import { inboxParamsSchema, inboxSchema, problemSchema } from "../schemas.ts";
import type { Api } from "../zod-types.ts";

const schema = {
  tags: ["acts"],
  summary: "What became of a request or an act",
  params: inboxParamsSchema,
  response: { 200: inboxSchema, 400: problemSchema, 401: problemSchema, 404: problemSchema },
};

export const inboxRoutes = (app: Api, { db }: ApiContext): void => {
  app.get("/v1/inbox/:inboxId", { schema }, async ({ params: { inboxId } }) => {
    const row = await readInbox(db, inboxId);
    if (row === undefined)
      throw new Problem(
        404,
        "inbox-not-found",
        `the inbox has no row ${inboxId}`,
        "rows go some time after they were applied; look at the saga or the tenant itself",
      );
    return {
      inboxId,
      kind: row.kind,
      createdAt: row.createdAt.toISOString(),
      doneAt: row.doneAt?.toISOString() ?? null,
      result: row.result === null ? null : { ...row.result },
    };
  });
};
