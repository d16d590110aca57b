import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { slugFrom, slugOf, tenantIdOf } from "@deeplens/contracts";
import type { Operation, ProvisionCommand } from "@deeplens/worker";
import {
  type MemoryLedger,
  type MemorySecrets,
  memoryLedger,
  memorySecrets,
  testContext,
} from "@deeplens/worker/testing";
import { identityHandler } from "./handler.ts";
import { identityApi, type TenantRequest } from "./identity-api.ts";

/** What happens to the next request for a tenant, in place of an ordinary answer. */
export type Fault =
  /** The connection ends, and nothing was done. */
  | { readonly kind: "drop-before" }
  /** The tenant is made, `afterMs` later; the connection ends at once. */
  | { readonly kind: "drop-after"; readonly afterMs?: number }
  /** The tenant is made, and the answer is this one. */
  | { readonly kind: "answer-after"; readonly status: number; readonly body: string }
  /** Nothing is made, and the answer is this one. */
  | { readonly kind: "answer"; readonly status: number; readonly body: string };

export interface KnownTenant {
  readonly id: string;
  readonly name: string;
  readonly slug: string;
  readonly databaseName: string;
  readonly minioBucket: string | undefined;
  readonly administrators: readonly {
    readonly id: string;
    readonly email: string;
    readonly password: string;
  }[];
}

/** An Identity API in memory that answers as the real one does, its habit of replacing a tenant included. */
export interface FakeIdentityApi {
  readonly url: string;
  readonly tenants: Map<string, KnownTenant>;
  /** Every request for a tenant that came in. */
  readonly asked: TenantRequest[];
  /** How many of them made a tenant. */
  made(): number;
  /** Faults for the next requests for a tenant, in order. */
  readonly faults: Fault[];
  /** Answers the next looks in place of an ordinary answer, in order. */
  readonly lookFaults: { readonly status: number; readonly body: string }[];
  /** Called when a request for a tenant came in, before anything is done. */
  onAsked: (request: TenantRequest) => void;
  close(): Promise<void>;
}

export const fakeIdentityApi = async (): Promise<FakeIdentityApi> => {
  const tenants = new Map<string, KnownTenant>();
  let made = 0;
  const make = (request: TenantRequest): KnownTenant => {
    const parsed = slugOf(request.tenantName);
    if (!parsed.ok) throw new Error(parsed.rejection.message);
    const administrator = { id: randomUUID(), email: request.adminEmail, password: request.adminPassword };
    const tenant: KnownTenant = {
      id: randomUUID(),
      name: request.tenantName,
      slug: parsed.slug,
      databaseName: request.databaseName,
      minioBucket: request.minioBucket,
      administrators: [administrator],
    };
    tenants.set(tenant.slug, tenant);
    made += 1;
    return tenant;
  };
  const server = createServer(async (request, response) => {
    if (request.method === "POST") return provision(request, response);
    const slug = (request.url ?? "").replace("/api/tenant/", "");
    if (slug === "health") return answer(response, 200, { status: "healthy" });
    const fault = fake.lookFaults.shift();
    if (fault !== undefined) return answer(response, fault.status, fault.body);
    const tenant = tenants.get(slug);
    if (tenant === undefined)
      return answer(response, 404, { message: `Tenant with slug '${slug}' not found` });
    const { id, name, databaseName, minioBucket } = tenant;
    return answer(response, 200, {
      id,
      name,
      slug,
      status: "Active",
      infrastructure: { databaseName, minioBucket },
    });
  });
  const provision = async (incoming: IncomingMessage, response: ServerResponse): Promise<void> => {
    const request: TenantRequest = JSON.parse(Buffer.concat(await incoming.toArray()).toString("utf8"));
    fake.asked.push(request);
    fake.onAsked(request);
    const fault = fake.faults.shift();
    if (fault?.kind === "answer") return answer(response, fault.status, fault.body);
    if (fault?.kind === "drop-before") return void incoming.socket.destroy();
    if (fault?.kind === "drop-after") {
      if (fault.afterMs !== undefined) incoming.socket.destroy();
      await delay(fault.afterMs ?? 0);
      make(request);
      return void incoming.socket.destroy();
    }
    const usedBy = [...tenants.values()].find(({ administrators }) =>
      administrators.some(({ email }) => email === request.adminEmail),
    );
    if (usedBy !== undefined && usedBy.name !== request.tenantName)
      return answer(response, 400, { message: `User with email '${request.adminEmail}' already exists` });
    const { id, slug, administrators } = make(request);
    if (fault?.kind === "answer-after") return answer(response, fault.status, fault.body);
    const [administrator] = administrators;
    const ids = { tenantId: id, adminUserId: administrator?.id, tenantSlug: slug };
    return answer(response, 200, { ...ids, adminEmail: request.adminEmail, message: "provisioned" });
  };
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const fake: FakeIdentityApi = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    ...{ tenants, asked: [], made: () => made, faults: [], lookFaults: [], onAsked: () => undefined },
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return fake;
};

const answer = (response: ServerResponse, status: number, body: unknown): void => {
  const text = typeof body === "string" ? body : JSON.stringify(body);
  response.writeHead(status, { "content-type": "application/json" }).end(text);
};

/** A tenant whose earlier steps are done, at the moment when its identity is commanded. */
export const commandOf = (name = "Acme Corp"): ProvisionCommand => {
  const slug = slugFrom(name.toLowerCase().replaceAll(" ", "-"));
  return {
    tenant: { tenantId: tenantIdOf("identity tests", slug), slug, name },
    tier: "free",
    storage: { type: "deeplens" },
    administrator: { email: `ada@${slug}.test`, firstName: "Ada", lastName: "Lovelace" },
    inputs: {
      "database.database": `tenant_${slug.replaceAll("-", "_")}_metadata`,
      "vectors.httpPort": "6433",
      "vectors.grpcPort": "6434",
      "storage.endpoint": "http://minio:9000",
      "storage.bucket": `deeplens-${slug}`,
    },
  };
};

export interface Rig {
  readonly ledger: MemoryLedger;
  readonly secrets: MemorySecrets;
  readonly handler: ReturnType<typeof identityHandler>;
  context(options?: Partial<Parameters<typeof testContext>[0]>): ReturnType<typeof testContext>;
  provision(options?: Partial<Parameters<typeof testContext>[0]>): ReturnType<Rig["handler"]["provision"]>;
  compensate(options?: Partial<Parameters<typeof testContext>[0]>): ReturnType<Rig["handler"]["compensate"]>;
  act(operation: string, options?: Partial<Parameters<typeof testContext>[0]>): ReturnType<Operation>;
}

/** The step for one tenant, with a ledger and secrets that survive its crashes. */
export const rigOf = (url: string, command: ProvisionCommand, longestRequestMs = 300): Rig => {
  const ledger = memoryLedger();
  const secrets = memorySecrets();
  const { tenant } = command;
  const handler = identityHandler({ api: identityApi(url), longestRequestMs });
  const context: Rig["context"] = (options = {}) =>
    testContext({ step: "identity", tenant, ledger, secrets, ...options });
  return {
    ...{ ledger, secrets, handler, context },
    act: (operation, options) => {
      const run = handler.operations?.[operation] ?? assert.fail(`no operation ${operation}`);
      const { tier, inputs } = command;
      return run(
        { ...{ tenant, tier, inputs, operation }, storage: "deeplens", sagaId: "removal", parameters: {} },
        context(options),
      );
    },
    provision: (options) => handler.provision(command, context(options)),
    compensate: (options) =>
      handler.compensate({ tenant, purpose: "compensate", reason: "a test" }, context(options)),
  };
};
