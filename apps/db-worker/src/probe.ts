import {
  databaseName,
  kafkaUserName,
  redisKeyPrefix,
  redisUserName,
  tenantTopicName,
  tiers,
} from "@deeplens/contracts";
import {
  drift,
  type Look,
  needed,
  type Operation,
  type OperationCommand,
  probed,
  type StoredSecret,
} from "@deeplens/worker";
import type { KafkaCluster } from "./kafka-cluster.ts";
import { asRedisUser, type RedisServer } from "./redis-server.ts";
import { type Credential, databaseSecret, tenantAddress } from "./tenant-databases.ts";
import { kafkaSecret } from "./tenant-kafka.ts";
import { redisSecret } from "./tenant-redis.ts";
import { type TenantServer, withClient } from "./tenant-server.ts";
import { migrationsTable, templateOf, templateSchema } from "./tenant-template.ts";

export interface ProbeServices {
  readonly server: TenantServer;
  readonly redis: RedisServer;
  readonly cluster: KafkaCluster;
}

/** Looks at a tenant's database, Redis and topic with the tenant's own credentials; changes nothing. */
export const probeDatabase =
  ({ server, redis, cluster }: ProbeServices): Operation =>
  async (command, context) => {
    const secret = async (purpose: string): Promise<StoredSecret> =>
      needed((await context.secrets.versions(purpose))[0], `the secret ${purpose}`);
    return probed(context, {
      postgres: async (signal) =>
        lookAtPostgres(server, command, await secret(databaseSecret), context.installation)(signal),
      redis: async (signal) => lookAtRedis(redis, command, (await secret(redisSecret)).value)(signal),
      kafka: async (signal) => {
        const { slug } = command.tenant;
        const asTenant = async () => {
          const { login, value: password } = await secret(kafkaSecret);
          return cluster.as({ username: kafkaUserName(slug, login), password });
        };
        const isOpen = command.inputs["database.kafkaAuthorization"] === "none";
        const topic = tenantTopicName(context.installation, slug);
        return lookAtTopic(isOpen ? cluster.kafka : await asTenant(), topic)(signal);
      },
    });
  };

interface DatabaseRow {
  readonly version: string;
  readonly owner: string;
  readonly bytes: number;
  readonly used: number;
  readonly most: number;
  readonly template: string | null;
}

const lookAtPostgres =
  (
    server: TenantServer,
    { tenant, tier, inputs }: OperationCommand,
    credential: Credential,
    installation: string,
  ): Look =>
  async (signal) => {
    const database = databaseName(tenant.slug);
    const address = tenantAddress(server, tenant, credential);
    const row = await withClient(address, signal, async (client) => {
      const { rows } = await client.query<DatabaseRow>(
        `SELECT current_setting('server_version') AS version, pg_get_userbyid(d.datdba) AS owner,
           pg_database_size(d.oid) AS bytes, r.rolconnlimit AS most,
           (SELECT left(max(name), 4) FROM ${templateSchema}.${migrationsTable}) AS template,
           (SELECT count(*)::int FROM pg_stat_activity a WHERE a.datid = d.oid AND a.usesysid = r.oid) AS used
         FROM pg_database d, pg_roles r WHERE d.datname = current_database() AND r.rolname = current_user`,
      );
      return rows[0];
    });
    if (row === undefined) throw new Error(`database ${database} told nothing of itself`);
    const limit = tiers[tier].databaseConnections;
    const owner = inputs["database.ownerRole"];
    if (row.most !== limit)
      throw drift(`${address.user} may have ${row.most} connections, and tier ${tier} allows ${limit}`);
    if (owner !== undefined && row.owner !== owner)
      throw drift(`database ${database} belongs to ${row.owner}, not to ${owner}`);
    return {
      version: row.version.split(" ")[0] ?? "",
      usedBytes: String(row.bytes),
      connections: `${row.used} of ${row.most}`,
      template: row.template ?? "",
      newestTemplate: (await templateOf(installation)).version,
    };
  };

const lookAtRedis =
  (redis: RedisServer, { tenant }: OperationCommand, password: string): Look =>
  async () => {
    const login = { username: redisUserName(tenant.slug), password };
    return asRedisUser(redis, login, async (client) => {
      await client.get(`${redisKeyPrefix(tenant.slug)}.deeplens-probe`);
      const info = await client.info("server");
      return { version: /^redis_version:(.*)$/m.exec(info)?.[1]?.trim() ?? "" };
    });
  };

const lookAtTopic =
  (kafka: KafkaCluster["kafka"], topic: string): Look =>
  async () => {
    const admin = kafka.admin();
    try {
      await admin.connect();
      const { topics } = await admin.fetchTopicMetadata({ topics: [topic] });
      const partitions = topics[0]?.partitions ?? [];
      const lagging = partitions.filter(
        ({ isr, replicas, leader }) => leader < 0 || isr.length < replicas.length,
      );
      if (lagging.length > 0)
        throw drift(`${lagging.length} partitions of topic ${topic} lack replicas in sync`);
      const offsets = await admin.fetchTopicOffsets(topic);
      const records = offsets.reduce((sum, { high, low }) => sum + Number(high) - Number(low), 0);
      return { partitions: String(partitions.length), records: String(records) };
    } finally {
      await admin.disconnect();
    }
  };
