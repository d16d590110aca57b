import { createHash, timingSafeEqual } from "node:crypto";
import type { FastifyReply, FastifyRequest } from "fastify";
import { Problem } from "./problem.ts";

const minimumTokenLength = 16;

declare module "fastify" {
  interface FastifyContextConfig {
    /** True for what anybody may read: the API's own description, and the console's page. */
    readonly open?: boolean;
  }
}

/**
 * A hook that lets a request pass only with `Authorization: Bearer <token>`, compared in constant time. Routes that say
 * so are open; an unknown path is not, so that nobody learns which paths there are.
 *
 * @throws where the token is too short to protect anything
 */
export const requireToken = (token: string) => {
  if (token.length < minimumTokenLength)
    throw new Error(`the API token has ${token.length} characters; it needs ${minimumTokenLength} or more`);
  const expected = digest(token);
  return async (request: FastifyRequest, reply: FastifyReply): Promise<void> => {
    if (request.routeOptions.config.open === true) return;
    const given = /^Bearer +([^\s]+) *$/i.exec(request.headers.authorization ?? "")?.[1];
    if (given !== undefined && timingSafeEqual(digest(given), expected)) return;
    void reply.header("www-authenticate", 'Bearer realm="deeplens"');
    throw new Problem(
      401,
      given === undefined ? "token-missing" : "token-wrong",
      given === undefined ? "the request bears no token" : "the token is not this installation's",
      "send the header Authorization: Bearer <token>; `tenantctl config get token-file` says where the token is",
    );
  };
};

// Digests have one length, whatever was sent.
const digest = (text: string): Buffer => createHash("sha256").update(text).digest();
