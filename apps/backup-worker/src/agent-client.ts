import { once } from "node:events";
import { type IncomingMessage, request as requestHttp } from "node:http";
import type { Readable, Writable } from "node:stream";
import { json } from "node:stream/consumers";
import { pipeline } from "node:stream/promises";
import {
  type BackupId,
  type BackupListing,
  backupListingSchema,
  type Job,
  type JobResult,
  type JobRun,
  jobRunSchema,
  longestWaitMs,
} from "@deeplens/backup";
import type { StepContext } from "@deeplens/worker";
import { z } from "zod";

/** A tenant's backup agent, over its HTTP. Every function throws an Error that says what the agent answered. */
export interface AgentClient {
  /** The reason why it is not ready to take a backup; undefined when it is. */
  notReady(signal: AbortSignal): Promise<string | undefined>;
  list(signal: AbortSignal): Promise<BackupListing>;
  /**
   * Has it do a job, or joins the one of that id that runs; comes back when it has ended, or after `waitMs` (30,000 at
   * most). One that failed is done again.
   */
  put(id: string, job: Job, waitMs: number, signal: AbortSignal): Promise<JobRun>;
  /** What has become of a job, after `waitMs` at most; undefined where the agent knows of none of that id. */
  see(id: string, waitMs: number, signal: AbortSignal): Promise<JobRun | undefined>;
  /** A file of a backup as it lies there. */
  file(backup: BackupId, file: string, signal: AbortSignal): Promise<Readable>;
  /** Gives it a file of a backup that is brought back. */
  putFile(backup: BackupId, file: string, content: Readable, signal: AbortSignal): Promise<void>;
}

const readyMs = 4_000;
// A connection is not kept for the next call: the agent may have been started again meanwhile, and where its address
// changed with that (Podman) nothing answers on the old one, not even by a refusal.
const unkept = { connection: "close" };
const refusal = z.object({ error: z.string() });

export const agentClient = (url: string, token: string): AgentClient => {
  const ask = async <T>(
    schema: z.ZodType<T>,
    method: string,
    path: string,
    signal: AbortSignal,
    sent?: Job,
  ): Promise<T> => {
    const response = await fetch(`${url}${path}`, {
      method,
      headers: { authorization: `Bearer ${token}`, ...unkept },
      ...(sent !== undefined && { body: JSON.stringify(sent) }),
      signal,
    });
    const body: unknown = await response.json();
    if (!response.ok) {
      const reason = refusal.safeParse(body).data?.error ?? "it gave no reason";
      throw new AgentError(
        response.status,
        `the backup agent at ${url} answered ${response.status} to ${method} ${path}: ${reason}`,
      );
    }
    return schema.parse(body);
  };
  /** Not `fetch`, which gives up where no answer came within five minutes: a large file takes longer. */
  const stream = async (
    method: "GET" | "PUT",
    path: string,
    signal: AbortSignal,
    content?: Readable,
  ): Promise<IncomingMessage> => {
    const outgoing = requestHttp(`${url}${path}`, {
      method,
      headers: { authorization: `Bearer ${token}` },
      signal,
    });
    const answered = once(outgoing, "response") as Promise<[IncomingMessage]>;
    if (content === undefined) outgoing.end();
    else await sent(content, outgoing, answered);
    const [answer] = await answered;
    if (answer.statusCode === 200) return answer;
    content?.destroy();
    const reason = refusal.safeParse(await json(answer)).data?.error ?? "it gave no reason";
    throw new AgentError(
      answer.statusCode ?? 0,
      `the backup agent at ${url} answered ${answer.statusCode} to ${method} ${path}: ${reason}`,
    );
  };
  return {
    file: (backup, file, signal) => stream("GET", `/v1/backups/${backup}/files/${file}`, signal),
    putFile: async (backup, file, content, signal) => {
      (await stream("PUT", `/v1/backups/${backup}/files/${file}`, signal, content)).resume();
    },
    notReady: async (signal) => {
      try {
        const soon = AbortSignal.any([signal, AbortSignal.timeout(readyMs)]);
        const response = await fetch(`${url}/health/ready`, { headers: unkept, signal: soon });
        const body = await response.text();
        return response.ok ? undefined : body;
      } catch (error) {
        signal.throwIfAborted();
        const { message, cause } = error as Error;
        return `${url} does not answer: ${cause instanceof Error ? cause.message : message}`;
      }
    },
    list: (signal) => ask(backupListingSchema, "GET", "/v1/backups", signal),
    put: (id, job, waitMs, signal) =>
      ask(jobRunSchema, "PUT", `/v1/jobs/${id}?waitMs=${waitMs}`, signal, job),
    see: async (id, waitMs, signal) => {
      try {
        return await ask(jobRunSchema, "GET", `/v1/jobs/${id}?waitMs=${waitMs}`, signal);
      } catch (error) {
        if (error instanceof AgentError && error.status === 404) return undefined;
        throw error;
      }
    },
  };
};

/** An agent that can't take it all answers before it was sent all: its answer is what counts. */
const sent = async (content: Readable, outgoing: Writable, answered: Promise<unknown>): Promise<void> => {
  try {
    await Promise.race([pipeline(content, outgoing), answered]);
  } catch (error) {
    if (content.errored !== null && content.errored !== undefined) throw content.errored;
    // It hung up, and may have said why.
    await answered.catch(() => {
      throw error;
    });
  }
};

class AgentError extends Error {
  readonly status: number;
  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

const waitMs = Math.min(20_000, longestWaitMs);

/**
 * Has the agent do a job, and waits for its end however long that takes. After a crash of this process the same id joins
 * it; where the agent itself was started anew meanwhile, it is done again.
 *
 * @throws JobError with the agent's reason when the job failed
 */
export const doJob = async <Kind extends JobResult["kind"]>(
  client: AgentClient,
  context: StepContext,
  /** `call` names it among the step's calls; `what`, with the tenant in it, where it fails. */
  { call, what }: { readonly call: string; readonly what: string },
  id: string,
  job: Job,
  kind: Kind,
): Promise<Extract<JobResult, { kind: Kind }>> => {
  let run = await context.call(call, (signal) => client.put(id, job, waitMs, signal));
  while (run.state === "running") {
    context.progress(`${what} has been running since ${run.startedAt}`);
    run = await context.call(`wait to ${call}`, async (signal) => {
      const seen = await client.see(id, waitMs, signal);
      return seen ?? client.put(id, job, waitMs, signal);
    });
  }
  if (run.state === "failed") throw new JobError(what, run.error);
  const { result } = run;
  if (isOf(result, kind)) return result;
  throw new Error(`the backup agent answered the job ${id} (${job.kind}) with a ${result.kind}`);
};

const isOf = <Kind extends JobResult["kind"]>(
  result: JobResult,
  kind: Kind,
): result is Extract<JobResult, { kind: Kind }> => result.kind === kind;

/** Time can help: a disk is cleaned, a database answers again. */
export class JobError extends Error {
  readonly code: "disk-full" | "backup-job-failed";
  constructor(what: string, reason: string) {
    const full = /ENOSPC|no space left on device/i.test(reason);
    super(
      `${what} failed: ${reason}${full ? ". Free space on the disk that holds the engine's volumes" : ""}`,
    );
    this.name = "JobError";
    this.code = full ? "disk-full" : "backup-job-failed";
  }
}
