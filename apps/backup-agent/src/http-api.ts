import { createHash, timingSafeEqual } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { pipeline } from "node:stream/promises";
import {
  isFileName,
  type Job,
  type JobRun,
  jobIdPattern,
  jobSchema,
  longestWaitMs,
  parseBackupId,
} from "@deeplens/backup";
import { type HealthCheck, type ListeningServer, listen, readiness } from "@deeplens/service";
import type { Logger } from "@deeplens/telemetry";
import type { Agent } from "./agent.ts";
import type { BackupFiles } from "./backup-files.ts";

type Reply =
  | { readonly status: number; readonly body: unknown }
  | { readonly status: 200; readonly sizeBytes: number; readonly content: Readable };

/** The agent's HTTP: /v1 (libs/backup/src/agent-api.ts) for whoever has the token, /health for everybody. */
export const serveApi = async (options: {
  readonly host: string;
  readonly port: number;
  readonly token: string;
  /** What it answers from. */
  readonly agent: Pick<Agent, "start" | "see" | "list">;
  readonly files: BackupFiles;
  readonly checks: Readonly<Record<string, HealthCheck>>;
  readonly log: Logger;
}): Promise<ListeningServer> => {
  const { agent, files, checks, log } = options;
  if (options.token.length < 32) throw new Error("the token is shorter than 32 characters");
  const allowed = tokenCheck(options.token);

  const answer = async (request: IncomingMessage): Promise<Reply> => {
    const url = new URL(request.url ?? "/", "http://agent");
    if (url.pathname === "/health/live") return { status: 200, body: { status: "live" } };
    if (url.pathname === "/health/ready") return readiness(checks);
    if (!allowed(request.headers.authorization))
      return failed(401, "authorization: needs `Bearer <the agent's token>`");
    const [version, collection, id, ...rest] = url.pathname.slice(1).split("/");
    if (version === "v1" && collection === "backups" && rest[0] === "files" && rest.length === 2)
      return answerFile(request, id, rest[1]);
    if (version !== "v1" || rest.length > 0) return failed(404, "no such path");
    if (collection === "backups" && id === undefined) {
      if (request.method !== "GET") return failed(405, "only GET is here");
      return { status: 200, body: await agent.list() };
    }
    if (collection !== "jobs" || id === undefined) return failed(404, "no such path");
    if (!jobIdPattern.test(id)) return failed(400, "id: is no job's id");
    const waitMs = Number(url.searchParams.get("waitMs") ?? 0);
    if (!Number.isInteger(waitMs) || waitMs < 0 || waitMs > longestWaitMs)
      return failed(400, `waitMs: must be a whole number from 0 to ${longestWaitMs}`);
    if (request.method === "PUT") {
      const job = parseJob(await text(request));
      if (typeof job === "string") return failed(400, job);
      agent.start(id, job);
    } else if (request.method !== "GET") return failed(405, "only GET and PUT are here");
    return runReply(await agent.see(id, waitMs));
  };

  const answerFile = async (request: IncomingMessage, id = "", file = ""): Promise<Reply> => {
    const backup = parseBackupId(id);
    if (backup === undefined || !isFileName(file)) return failed(400, "is no file of a backup");
    if (request.method === "PUT") {
      await files.write(backup, file, request);
      return { status: 200, body: {} };
    }
    if (request.method !== "GET") return failed(405, "only GET and PUT are here");
    const found = await files.read(backup, file);
    return found === undefined ? failed(404, `backup ${backup} has no ${file}`) : { status: 200, ...found };
  };

  // A file that is brought back may come in for as long as it takes; whoever sends it has a time limit of its own.
  const server = createServer({ requestTimeout: 0 }, (request, response) => {
    answer(request)
      .catch((error: unknown): Reply => {
        log.error({ err: error, path: request.url }, "a request failed");
        return failed(500, (error as Error).message);
      })
      .then((reply) => {
        request.resume(); // what was not read of it
        return send(response, reply);
      })
      .catch((error: unknown) => log.error({ err: error }, "an answer could not be sent"));
  });
  return listen(server, options);
};

const failed = (status: number, error: string): Reply => ({ status, body: { error } });

/** The job in a body, or what is wrong with it. */
const parseJob = (body: string): Job | string => {
  try {
    const parsed = jobSchema.safeParse(JSON.parse(body));
    if (parsed.success) return parsed.data;
    return parsed.error.issues.map((issue) => `${issue.path.join(".")}: ${issue.message}`).join("; ");
  } catch (error) {
    return `the body is no JSON (${(error as Error).message})`;
  }
};

const runReply = (run: JobRun | undefined): Reply => {
  if (run === undefined) return failed(404, "no such job");
  return { status: run.state === "running" ? 202 : 200, body: run };
};

const send = async (response: ServerResponse, reply: Reply): Promise<void> => {
  if ("content" in reply) {
    response.writeHead(200, {
      "content-type": "application/octet-stream",
      "content-length": reply.sizeBytes,
      "cache-control": "no-store",
    });
    return pipeline(reply.content, response);
  }
  response.writeHead(reply.status, { "content-type": "application/json", "cache-control": "no-store" });
  response.end(JSON.stringify(reply.body));
};

/** Compares digests, so that neither length nor content of the token shows in the time it takes. */
const tokenCheck = (token: string): ((header: string | undefined) => boolean) => {
  const digest = (text: string): Buffer => createHash("sha256").update(text).digest();
  const wanted = digest(`Bearer ${token}`);
  return (header) => timingSafeEqual(digest(header ?? ""), wanted);
};
