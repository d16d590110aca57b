import type { FastifyReply, FastifyRequest } from "fastify";
import type { ConsoleFile } from "../console-files.ts";
import { Problem } from "../problem.ts";
import type { Api } from "../zod-types.ts";

const schema = { hide: true } as object;
/** The page itself is for anybody: it holds nothing, and what it asks for is the API's to give or refuse. */
const config = { open: true };

// Nothing but what this origin serves; no inline script or style; text is never a script (trusted types).
const policy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "font-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
].join("; ");

const headers = {
  "content-security-policy": policy,
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
  "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
} as const;

/** GET /console/ and what the page is made of. Its own places are behind `#`, so every deep link is this one path. */
export const consoleRoutes = (app: Api, files: ReadonlyMap<string, ConsoleFile>): void => {
  // A relative address: the path of a proxy that stands before is not known here.
  app.get("/console", { schema, config }, async (_request, reply) => reply.redirect("console/", 308));
  app.get("/console/*", { schema, config }, async (request, reply) => {
    const path = (request.params as { "*": string })["*"] || "index.html";
    const file = files.get(path);
    if (file === undefined) throw files.size === 0 ? notBuilt() : noSuchFile(path);
    return send(request, reply, path, file);
  });
};

const send = (
  request: FastifyRequest,
  reply: FastifyReply,
  path: string,
  { type, plain, packed, etag }: ConsoleFile,
): FastifyReply => {
  void reply.headers(headers).header("etag", etag).header("vary", "accept-encoding");
  // Files under assets/ bear their content's hash in their names.
  void reply.header(
    "cache-control",
    path.startsWith("assets/") ? "public, max-age=31536000, immutable" : "no-cache",
  );
  if (request.headers["if-none-match"] === etag) return reply.code(304).send();
  void reply.header("content-type", type);
  const takesPacked = /\bbr\b/.test(request.headers["accept-encoding"] ?? "");
  return packed !== undefined && takesPacked
    ? reply.header("content-encoding", "br").send(packed)
    : reply.send(plain);
};

const notBuilt = (): Problem =>
  new Problem(
    404,
    "console-not-built",
    "the console's page is not there: it was not built beside this orchestrator",
    "build it with npm run build -w apps/console, and start the orchestrator again; the fleet's image has it",
  );

const noSuchFile = (path: string): Problem =>
  new Problem(404, "route-not-found", `the console has no file ${JSON.stringify(path)}`, "open /console/");
