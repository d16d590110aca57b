import type { FastifyReply } from "fastify";
import { z } from "zod";

/** Says which version of a saga, or revision of a tenant, an answer shows. */
export const tagged = (reply: Pick<FastifyReply, "header">, version: number): void => {
  void reply.header("etag", `"${version}"`);
};

/** What an act may be bound to: the version that its asker saw, as the ETag told it. */
export const ifMatch = z
  .string()
  .regex(/^"\d{1,16}"$/, 'must be an ETag that this API gave, like "7"')
  .optional()
  .meta({ description: "the ETag of what was looked at: where it has changed since, nothing is done (412)" });

/** The version in an `If-Match`; undefined where there is none. */
export const versionIn = (given: string | undefined): number | undefined =>
  given === undefined ? undefined : Number(given.slice(1, -1));
