import { z } from "zod";

/** A tenant as the Identity API knows it. */
export interface IdentityTenant {
  readonly id: string;
  readonly name: string;
  readonly slug: string;
  /** Where the API says them. */
  readonly databaseName?: string | undefined;
  readonly minioBucket?: string | undefined;
}

/** What is asked of it: all fields, and the same ones at every try. */
export interface TenantRequest {
  readonly tenantName: string;
  readonly databaseName: string;
  readonly adminEmail: string;
  readonly adminPassword: string;
  readonly adminFirstName: string;
  readonly adminLastName: string;
  readonly qdrantHttpPort: number;
  readonly qdrantGrpcPort: number;
  readonly minioEndpoint?: string;
  readonly minioBucket?: string;
}

/** An answer that says for certain what happened. Whatever does not is thrown: its outcome is unknown. */
export type TenantAnswer =
  | {
      readonly outcome: "done";
      readonly tenantId: string;
      readonly adminUserId: string;
      readonly slug: string;
    }
  | { readonly outcome: "refused"; readonly message: string };

/** The calls of the Identity API that make a tenant. It has no call that removes one. */
export interface IdentityApi {
  /** The tenant of that slug, or undefined where the API says that there is none. */
  find(slug: string, signal: AbortSignal): Promise<IdentityTenant | undefined>;
  /** Makes the tenant and its administrator. A tenant of that slug that is there is REPLACED, its users with it. */
  provision(request: TenantRequest, signal: AbortSignal): Promise<TenantAnswer>;
  /** Resolves where the API answers. */
  health(signal: AbortSignal): Promise<void>;
}

const text = z.string().min(1);

const tenantReply = z.object({
  id: text,
  name: text,
  slug: text,
  infrastructure: z.object({ databaseName: text.nullish(), minioBucket: z.string().nullish() }).nullish(),
});

const provisionReply = z.object({ tenantId: text, adminUserId: text, tenantSlug: text });
// The API's own refusals bear `message`; those of its framework (a field that is no e-mail address) `title`, `errors`.
const refusal = z.object({
  message: z.string().optional(),
  title: z.string().optional(),
  errors: z.record(z.string(), z.array(z.string())).optional(),
});

/** The Identity API at that address, over HTTP. */
export const identityApi = (baseUrl: string): IdentityApi => {
  const base = baseUrl.endsWith("/") ? baseUrl : `${baseUrl}/`;
  const request = async (path: string, signal: AbortSignal, body?: unknown): Promise<Reply> => {
    const response = await fetchFrom(base, path, {
      signal,
      redirect: "manual",
      headers: {
        accept: "application/json",
        ...(body === undefined ? {} : { "content-type": "application/json" }),
      },
      ...(body === undefined ? {} : { method: "POST", body: JSON.stringify(body) }),
    });
    return {
      what: `${body === undefined ? "GET" : "POST"} ${path}`,
      status: response.status,
      body: await response.text(),
    };
  };
  return {
    find: async (slug, signal) => {
      const reply = await request(`api/tenant/${encodeURIComponent(slug)}`, signal);
      if (reply.status === 200) return tenantOf(reply);
      // A 404 that does not come from the API itself (a proxy's page, a wrong address) is no proof of absence.
      if (reply.status === 404 && jsonOf(reply) !== undefined) return undefined;
      throw unexpected(reply);
    },
    provision: async (tenant, signal) => {
      const reply = await request("api/tenant/provision", signal, tenant);
      // A framework that refuses a value may repeat it.
      const safe = { ...reply, body: reply.body.replaceAll(tenant.adminPassword, "[secret]") };
      if (reply.status === 400) return { outcome: "refused", message: refusalOf(safe) };
      if (reply.status !== 200 && reply.status !== 201) throw unexpected(safe);
      const { tenantId, adminUserId, tenantSlug } = parse(provisionReply, reply);
      return { outcome: "done", tenantId, adminUserId, slug: tenantSlug };
    },
    health: async (signal) => {
      const reply = await request("api/tenant/health", signal);
      if (reply.status !== 200) throw unexpected(reply);
    },
  };
};

// fetch says that it failed; what failed (ECONNREFUSED, ENOTFOUND) is in the cause.
const fetchFrom = async (base: string, path: string, options: RequestInit): Promise<Response> => {
  try {
    return await fetch(new URL(path, base), options);
  } catch (error) {
    if (options.signal?.aborted === true || !(error instanceof TypeError)) throw error;
    const reason = error.cause instanceof Error ? error.cause.message : error.message;
    throw new Error(`the Identity API at ${new URL(base).host} does not answer: ${reason}`, { cause: error });
  }
};

interface Reply {
  readonly what: string;
  readonly status: number;
  readonly body: string;
}

const tenantOf = (reply: Reply): IdentityTenant => {
  const { id, name, slug, infrastructure } = parse(tenantReply, reply);
  return {
    id,
    name,
    slug,
    databaseName: infrastructure?.databaseName ?? undefined,
    minioBucket: infrastructure?.minioBucket ?? undefined,
  };
};

const parse = <T>(schema: z.ZodType<T>, reply: Reply): T => {
  const parsed = schema.safeParse(jsonOf(reply));
  if (parsed.success) return parsed.data;
  throw new Error(
    `the Identity API answered ${reply.what} in another form than is known here: ${z.prettifyError(parsed.error)}`,
  );
};

const jsonOf = (reply: Reply): object | undefined => {
  try {
    const value: unknown = JSON.parse(reply.body);
    return typeof value === "object" && value !== null ? value : undefined;
  } catch {
    // Whoever reads it says in which form the answer came.
    return undefined;
  }
};

const refusalOf = (reply: Reply): string => {
  const { message, title, errors } = refusal.safeParse(jsonOf(reply)).data ?? {};
  const fields = Object.entries(errors ?? {}).map(([field, texts]) => `${field}: ${texts.join(" ")}`);
  return message ?? ([title, ...fields].filter(Boolean).join("; ") || "it gave no reason");
};

const unexpected = (reply: Reply): Error =>
  new Error(
    `the Identity API answered ${reply.what} with ${reply.status}${reply.body === "" ? "" : `: ${reply.body.slice(0, 300)}`}`,
  );
