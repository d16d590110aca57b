import { createHash, timingSafeEqual } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { text } from "node:stream/consumers";
import { type Job, type JobRun, jobIdPattern, jobSchema, longestWaitMs } from "@deeplens/backup";
import { type HealthCheck, type ListeningServer, listen, readiness } from "@deeplens/service";
import type { Logger } from "@deeplens/telemetry";
import type { Agent } from "./agent.ts";

type Reply = { readonly status: number; readonly body: unknown };

/** The agent's HTTP: /v1 (libs/backup/src/agent-api.ts) for whoever has the token, /health for everybody. */
export const serveApi = async (options: {
  readonly host: string;
  readonly port: number;
  readonly token: string;
  /** What it answers from. */
  readonly agent: Pick<Agent, "start" | "see" | "list">;
  readonly checks: Readonly<Record<string, HealthCheck>>;
  readonly log: Logger;
}): Promise<ListeningServer> => {
  const { agent, checks, log } = options;
  if (options.token.length < 32) throw new Error("the token is shorter than 32 characters");
  const allowed = tokenCheck(options.token);

  const answer = async (request: IncomingMessage): Promise<Reply> => {
    const url = new URL(request.url ?? "/", "http://agent");
    if (url.pathname === "/health/live") return { status: 200, body: { status: "live" } };
    if (url.pathname === "/health/ready") return readiness(checks);
    if (!allowed(request.headers.authorization))
      return failed(401, "authorization: needs `Bearer <the agent's token>`");
    const [version, collection, id, ...rest] = url.pathname.slice(1).split("/");
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

  const server = createServer((request, response) => {
    answer(request)
      .catch((error: unknown): Reply => {
        log.error({ err: error, path: request.url }, "a request failed");
        return failed(500, (error as Error).message);
      })
      .then((reply) => {
        request.resume(); // what was not read of it
        send(response, reply);
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
