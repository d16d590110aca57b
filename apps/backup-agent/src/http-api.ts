import { createHash, timingSafeEqual } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import {
  type BackupId,
  type BackupListing,
  type BackupRun,
  longestWaitMs,
  parseBackupId,
  type Verification,
} from "@deeplens/backup";
import { type HealthCheck, type ListeningServer, listen, readiness } from "@deeplens/service";
import type { Logger } from "@deeplens/telemetry";

/** What the API answers from. */
export interface Backups {
  start(): BackupRun;
  see(id: BackupId, waitMs: number): Promise<BackupRun | undefined>;
  list(): Promise<BackupListing>;
  /** Reads one back from the disk; undefined for an id that no backup has. */
  verify(id: BackupId): Promise<Verification | undefined>;
}

type Reply = { readonly status: number; readonly body: unknown };

/** The agent's HTTP: /v1 (libs/backup/src/agent-api.ts) for whoever has the token, /health for everybody. */
export const serveApi = async (options: {
  readonly host: string;
  readonly port: number;
  readonly token: string;
  readonly backups: Backups;
  readonly checks: Readonly<Record<string, HealthCheck>>;
  readonly log: Logger;
}): Promise<ListeningServer> => {
  const { backups, checks, log } = options;
  if (options.token.length < 32) throw new Error("the token is shorter than 32 characters");
  const allowed = tokenCheck(options.token);

  const answer = async (request: IncomingMessage): Promise<Reply> => {
    const url = new URL(request.url ?? "/", "http://agent");
    if (url.pathname === "/health/live") return { status: 200, body: { status: "live" } };
    if (url.pathname === "/health/ready") return readiness(checks);
    if (!allowed(request.headers.authorization))
      return failed(401, "authorization: needs `Bearer <the agent's token>`");
    const [version, collection, idText, view, ...rest] = url.pathname.slice(1).split("/");
    if (version !== "v1" || collection !== "backups" || rest.length > 0) return failed(404, "no such path");
    const waitMs = Number(url.searchParams.get("waitMs") ?? 0);
    if (!Number.isInteger(waitMs) || waitMs < 0 || waitMs > longestWaitMs)
      return failed(400, `waitMs: must be a whole number from 0 to ${longestWaitMs}`);
    if (idText === undefined) {
      if (request.method === "GET") return { status: 200, body: await backups.list() };
      if (request.method !== "POST") return failed(405, "only GET and POST are here");
      return runReply(await backups.see(backups.start().id, waitMs));
    }
    if (request.method !== "GET") return failed(405, "only GET is here");
    const id = parseBackupId(idText);
    if (id === undefined) return failed(400, "id: is no backup's id");
    if (view === undefined) return runReply(await backups.see(id, waitMs));
    if (view !== "verification") return failed(404, "no such path");
    const verification = await backups.verify(id);
    return verification === undefined ? failed(404, "no such backup") : { status: 200, body: verification };
  };

  const server = createServer((request, response) => {
    request.resume();
    answer(request)
      .catch((error: unknown): Reply => {
        log.error({ err: error, path: request.url }, "a request failed");
        return failed(500, (error as Error).message);
      })
      .then((reply) => send(response, reply))
      .catch((error: unknown) => log.error({ err: error }, "an answer could not be sent"));
  });
  return listen(server, options);
};

const failed = (status: number, error: string): Reply => ({ status, body: { error } });

const runReply = (run: BackupRun | undefined): Reply => {
  if (run === undefined) return failed(404, "no such backup");
  return { status: run.state === "running" ? 202 : 200, body: run };
};

const send = (response: ServerResponse, { status, body }: Reply): void => {
  response.writeHead(status, { "content-type": "application/json", "cache-control": "no-store" });
  response.end(JSON.stringify(body));
};

/** Compares digests, so that neither length nor content of the token shows in the time it takes. */
const tokenCheck = (token: string): ((header: string | undefined) => boolean) => {
  const digest = (text: string): Buffer => createHash("sha256").update(text).digest();
  const wanted = digest(`Bearer ${token}`);
  return (header) => timingSafeEqual(digest(header ?? ""), wanted);
};
