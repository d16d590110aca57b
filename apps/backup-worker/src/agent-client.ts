import {
  type BackupId,
  type BackupListing,
  type BackupRun,
  backupListingSchema,
  backupRunSchema,
  longestWaitMs,
  type Verification,
  verificationSchema,
} from "@deeplens/backup";
import { z } from "zod";

/** A tenant's backup agent, over its HTTP. Every function throws an Error that says what the agent answered. */
export interface AgentClient {
  /** The reason why it is not ready to take a backup; undefined when it is. */
  notReady(signal: AbortSignal): Promise<string | undefined>;
  list(signal: AbortSignal): Promise<BackupListing>;
  /** Starts a backup, or joins the one that runs; comes back when it has ended, or after `waitMs`. */
  start(waitMs: number, signal: AbortSignal): Promise<BackupRun>;
  see(id: BackupId, waitMs: number, signal: AbortSignal): Promise<BackupRun>;
  /** Has the agent read a backup back from its disk. */
  verify(id: BackupId, signal: AbortSignal): Promise<Verification>;
}

/** How long start and see wait at most, in ms. */
export const waitMsLimit = longestWaitMs;

const readyMs = 4_000;
const refusal = z.object({ error: z.string() });

export const agentClient = (url: string, token: string): AgentClient => {
  const ask = async <T>(
    schema: z.ZodType<T>,
    method: string,
    path: string,
    signal: AbortSignal,
  ): Promise<T> => {
    const response = await fetch(`${url}${path}`, {
      method,
      headers: { authorization: `Bearer ${token}` },
      signal,
    });
    const body: unknown = await response.json();
    if (!response.ok) {
      const reason = refusal.safeParse(body).data?.error ?? "it gave no reason";
      throw new Error(
        `the backup agent at ${url} answered ${response.status} to ${method} ${path}: ${reason}`,
      );
    }
    return schema.parse(body);
  };
  return {
    notReady: async (signal) => {
      try {
        const soon = AbortSignal.any([signal, AbortSignal.timeout(readyMs)]);
        const response = await fetch(`${url}/health/ready`, { signal: soon });
        const body = await response.text();
        return response.ok ? undefined : body;
      } catch (error) {
        signal.throwIfAborted();
        const { message, cause } = error as Error;
        return `${url} does not answer: ${cause instanceof Error ? cause.message : message}`;
      }
    },
    list: (signal) => ask(backupListingSchema, "GET", "/v1/backups", signal),
    start: (waitMs, signal) => ask(backupRunSchema, "POST", `/v1/backups?waitMs=${waitMs}`, signal),
    see: (id, waitMs, signal) => ask(backupRunSchema, "GET", `/v1/backups/${id}?waitMs=${waitMs}`, signal),
    verify: (id, signal) => ask(verificationSchema, "GET", `/v1/backups/${id}/verification`, signal),
  };
};
