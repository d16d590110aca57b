import { ApiUnreachable, problemOf } from "./api-errors.ts";
import type {
  Accepted,
  ActAnswer,
  Credentials,
  DroppedOff,
  HistoryEntry,
  InboxEntry,
  Keys,
  Page,
  Plan,
  PlannedActName,
  Rewrapped,
  Saga,
  SagaEvent,
  SagaSummary,
  Shard,
  ShardAccepted,
  ShardAct,
  Tenant,
  TenantActAnswer,
  TenantActName,
  TenantActTold,
  TenantHealth,
  TenantRequest,
} from "./api-types.ts";
import { type FollowOptions, followSaga } from "./follow-saga.ts";

export interface ApiClientOptions {
  /** http://127.0.0.1:8090, say. */
  readonly url: string;
  readonly token: string;
  /** Who acts, for the record. */
  readonly actor?: string;
  /** Longest time of a call, in ms; 30,000 unless told (the API itself waits up to 15 s for a shard's owner). */
  readonly timeoutMs?: number;
}

/** The orchestrator's HTTP API. Every call throws ApiProblem when refused and ApiUnreachable when nothing answers. */
export interface ApiClient {
  readonly url: string;
  /** The same key again is the same request, and gets the same answer. */
  requestTenant(request: TenantRequest, idempotencyKey: string): Promise<Accepted>;
  /** Drops credentials off for a tenant's own storage, as their vendor gives them: the request then names the reference. */
  dropOff(credentials: object): Promise<DroppedOff>;
  tenant(slugOrId: string): Promise<Tenant>;
  tenants(filter?: { states?: readonly string[]; cursor?: string; limit?: number }): Promise<Page<Tenant>>;
  saga(sagaId: string): Promise<Saga>;
  sagas(filter?: {
    statuses?: readonly string[];
    step?: string;
    slug?: string;
    cursor?: string;
    limit?: number;
  }): Promise<Page<SagaSummary>>;
  /** The whole history, oldest first, page by page as it is read. */
  history(sagaId: string): AsyncGenerator<HistoryEntry>;
  /** What happens to a saga until its end; goes on by itself after a broken connection. */
  follow(sagaId: string, options?: FollowOptions): AsyncGenerator<SagaEvent>;
  act(
    sagaId: string,
    act: "retry" | "resume" | "abort",
    why: { reason: string; step?: string },
  ): Promise<ActAnswer>;
  /**
   * An act on a tenant that was made; `tenantId` is the one that is meant, whoever has the name by now. `graceMs` is for
   * remove and grace: how long after its beginning the removal purges, 0 for at once.
   */
  actOnTenant(slugOrId: string, act: TenantActName, told: TenantActTold): Promise<TenantActAnswer>;
  /** What a request for a tenant would make, or why it would be refused; the key is the one that it would be sent with. */
  planRequest(request: TenantRequest, idempotencyKey: string): Promise<Plan>;
  /** What an act on a tenant would do, or why it would be refused. */
  planAct(
    slugOrId: string,
    act: PlannedActName,
    told?: Omit<TenantActTold, "tenantId" | "reason">,
  ): Promise<Plan>;
  /** How far the orchestrator has read, and why a partition stopped. */
  shards(): Promise<{ readonly items: readonly Shard[] }>;
  /** Gives the position of a stopped partition up, and reads it on. */
  acceptShard(shard: number, act: ShardAct & { reason: string }): Promise<ShardAccepted>;
  /** Has a tenant's parts looked at now; with `last`, what was seen before. Takes up to 24 s where one does not answer. */
  health(slugOrId: string, options?: { last?: boolean }): Promise<TenantHealth>;
  /** The versions of the master key, and how many secrets are under each. */
  keys(): Promise<Keys>;
  /** Encrypts some of the secrets that are under an older version anew; repeat it until nothing is left. */
  rewrapSecrets(reason: string, atMost?: number): Promise<Rewrapped>;
  inbox(inboxId: number): Promise<InboxEntry>;
  /** Shows a ready tenant's secrets; that it did, to whom and why, is recorded. */
  revealCredentials(slugOrId: string, reason: string): Promise<Credentials>;
}

export const createApiClient = (options: ApiClientOptions): ApiClient => {
  const base = options.url.replace(/\/+$/, "");
  const headers = {
    authorization: `Bearer ${options.token}`,
    ...(options.actor === undefined ? {} : { "x-deeplens-actor": printable(options.actor) }),
  };
  const timeoutMs = options.timeoutMs ?? 30_000;

  const answerOf = async (path: string, init: RequestInit): Promise<Response> => {
    let response: Response;
    try {
      response = await fetch(base + path, { ...init, headers: { ...headers, ...init.headers } });
    } catch (error) {
      if (init.signal?.aborted === true && (error as Error).name === "AbortError") throw error;
      throw new ApiUnreachable(base, error);
    }
    if (!response.ok) throw await problemOf(response);
    return response;
  };
  const get = async <T>(path: string): Promise<T> => {
    const response = await answerOf(path, { signal: AbortSignal.timeout(timeoutMs) });
    return (await response.json()) as T;
  };
  const post = async <T>(path: string, body: object, more: Record<string, string> = {}): Promise<T> => {
    const response = await answerOf(path, {
      method: "POST",
      body: JSON.stringify(body),
      headers: { "content-type": "application/json", ...more },
      signal: AbortSignal.timeout(timeoutMs),
    });
    return (await response.json()) as T;
  };
  const at = encodeURIComponent;

  return {
    url: base,
    requestTenant: (request, key) => post("/v1/tenants", request, { "idempotency-key": key }),
    dropOff: (credentials) => post("/v1/secrets", { credentials }),
    tenant: (slugOrId) => get(`/v1/tenants/${at(slugOrId)}`),
    tenants: ({ states, ...rest } = {}) => get(`/v1/tenants${query({ state: states?.join(","), ...rest })}`),
    saga: (sagaId) => get(`/v1/sagas/${at(sagaId)}`),
    sagas: ({ statuses, ...rest } = {}) => get(`/v1/sagas${query({ status: statuses?.join(","), ...rest })}`),
    async *history(sagaId) {
      for (let after: number | null = 0; after !== null; ) {
        const page: { items: HistoryEntry[]; next: number | null } = await get(
          `/v1/sagas/${at(sagaId)}/history${query({ after })}`,
        );
        yield* page.items;
        after = page.next;
      }
    },
    follow: (sagaId, follow) =>
      followSaga(async (after, signal) => {
        const response = await answerOf(`/v1/sagas/${at(sagaId)}/events`, {
          headers: after > 0 ? { "last-event-id": String(after) } : {},
          ...(signal === undefined ? {} : { signal }),
        });
        if (response.body === null) throw new ApiUnreachable(base, new Error("the stream has no body"));
        return response.body.pipeThrough(new TextDecoderStream());
      }, follow),
    act: (sagaId, act, why) => post(`/v1/sagas/${at(sagaId)}/${act}`, why),
    actOnTenant: (slugOrId, act, told) => post(`/v1/tenants/${at(slugOrId)}/${act}`, told),
    planRequest: (request, key) => post("/v1/plans/create", request, { "idempotency-key": key }),
    planAct: (slugOrId, act, told = {}) => post(`/v1/tenants/${at(slugOrId)}/plans/${act}`, told),
    shards: () => get("/v1/shards"),
    acceptShard: (shard, act) => post(`/v1/shards/${shard}/accept`, act),
    health: (slugOrId, { last = false } = {}) => {
      const path = `/v1/tenants/${at(slugOrId)}/health`;
      return last ? get(path) : post(path, {});
    },
    keys: () => get("/v1/keys"),
    rewrapSecrets: (reason, atMost = 200) => post("/v1/keys/rewrap", { reason, atMost }),
    inbox: (inboxId) => get(`/v1/inbox/${inboxId}`),
    revealCredentials: (slugOrId, reason) =>
      post(`/v1/tenants/${at(slugOrId)}/credentials/reveal`, { reason }),
  };
};

const query = (values: Readonly<Record<string, string | number | undefined>>): string => {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(values))
    if (value !== undefined && value !== "") parameters.set(name, String(value));
  const text = parameters.toString();
  return text === "" ? "" : `?${text}`;
};

// Header values are ASCII; a name with other letters is still a name.
const printable = (text: string): string => text.replace(/[^\x20-\x7e]/g, "?").slice(0, 200);
