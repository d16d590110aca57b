import type { FastifyRequest } from "fastify";

/** Who asks, and from where, for the record. */
export interface Asker {
  readonly by: string;
  readonly origin: string;
}

/** The one who was let in; with the installation's own token, whom the header names. */
export const askerOf = ({ headers, ip }: Pick<FastifyRequest, "headers" | "ip">): Asker => {
  const named = headers["x-deeplens-actor"];
  return { by: typeof named === "string" ? named : "api", origin: ip };
};
