import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { type ApiClient, connectTenants, createApiClient, type TenantsClient } from "@deeplens/client";
import { connectKafka, type Kafka } from "@deeplens/messaging";
import { createPool, type Pool } from "@deeplens/postgres";
import { createLogger } from "@deeplens/telemetry";
import { type Stack, stack } from "@deeplens/testing";

const log = createLogger("e2e", "silent");

/** Who orders in these tests. */
export const e2eSource = "/tests/e2e";

/** What an end-to-end test looks at a running installation with; `close` ends all of it. */
export interface Installation {
  readonly services: Stack;
  readonly tenants: TenantsClient;
  readonly api: ApiClient;
  /** As the administrator of the Postgres that tenants' databases are on, and of the control database. */
  readonly admin: Pool;
  readonly control: Pool;
  readonly kafka: Kafka;
  close(): Promise<void>;
}

export const openInstallation = async (services: Stack = stack()): Promise<Installation> => {
  const { installation, kafka, schemaRegistry, tenantDb, api } = services;
  const tenants = await connectTenants({
    installation,
    kafka,
    schemaRegistryUrl: schemaRegistry.url,
    source: e2eSource,
    log,
  });
  const { host, port, adminUser: user, password } = tenantDb;
  const admin = createPool({ host, port, user, password, database: "postgres" }, { name: "e2e", log });
  const control = createPool(
    { host, port, user, password, database: services.controlDb.database },
    { name: "e2e", log },
  );
  return {
    services,
    tenants,
    admin,
    control,
    kafka: connectKafka(kafka, { clientId: "e2e", log }),
    api: createApiClient({ url: api.url, token: readFileSync(api.tokenFile, "utf8").trim() }),
    close: async () => {
      await tenants.close();
      await Promise.all([admin.end(), control.end()]);
    },
  };
};

/** A slug that no other test uses. */
export const freshSlug = (hint: string): string => `${hint}-${randomBytes(3).toString("hex")}`;
