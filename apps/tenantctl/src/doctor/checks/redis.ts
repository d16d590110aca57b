import { Redis } from "ioredis";
import { type Check, type Finding, problem, warning } from "../check.ts";
import { type Patient, passwordIn, restart } from "../patient.ts";

/** Redis takes the administrator's login, keeps users and data over a restart, and has memory left. */
export const redis: Check = {
  name: "redis",
  needs: [],
  unanswered: (patient) => restart(patient, "redis"),
  examine: async (patient) => {
    const client = connect(patient);
    // "Connection is closed" is all that a command says; why it was closed is said here.
    let reason: Error | undefined;
    client.on("error", (error) => {
      reason = error;
    });
    try {
      await client.connect();
      const info = infoOf(await client.info());
      const aclFile = ((await client.call("CONFIG", "GET", "aclfile")) as string[])[1] ?? "";
      return {
        seen: `${info.redis_version}, ${Math.round(Number(info.used_memory) / 1024 ** 2)} MiB`,
        findings: [...usersOf(aclFile, info, patient), ...dataOf(info, patient), ...memoryOf(info)],
      };
    } catch (error) {
      throw reason ?? error;
    } finally {
      client.disconnect();
    }
  },
};

const connect = ({ stack: { redis: address } }: Patient): Redis =>
  new Redis({
    host: address.host,
    port: address.port,
    username: address.adminUser,
    password: passwordIn(address.passwordFile),
    lazyConnect: true,
    enableReadyCheck: false,
    connectTimeout: 5_000,
    commandTimeout: 5_000,
    maxRetriesPerRequest: 0,
    retryStrategy: () => null,
  });

type Info = Readonly<Record<string, string>>;

const infoOf = (text: string): Info =>
  Object.fromEntries(
    text.split("\r\n").flatMap((line) => {
      const at = line.indexOf(":");
      return at < 0 ? [] : [[line.slice(0, at), line.slice(at + 1)]];
    }),
  );

const usersOf = (aclFile: string, info: Info, { installation }: Patient): readonly Finding[] =>
  aclFile !== "" || (info.config_file ?? "") !== ""
    ? []
    : [
        problem(
          "Redis has no ACL file and no configuration file: tenants' users are gone after its restart",
          `start it with --aclfile <file> (as docker-compose.yml does: npm start), then docker restart ${installation}-db-worker`,
        ),
      ];

const dataOf = (info: Info, { installation }: Patient): readonly Finding[] => {
  const logs = `docker logs --tail 50 ${installation}-redis; df -h`;
  if (info.loading === "1") return [warning("Redis is still loading its data", "wait, then run it again")];
  return [
    ...(info.aof_enabled === "1" && info.aof_last_write_status !== "ok"
      ? [problem("Redis can't write its append-only file", logs)]
      : []),
    ...(info.rdb_last_bgsave_status === "err"
      ? [problem("Redis could not save its last snapshot, and refuses writes for it", logs)]
      : []),
  ];
};

const memoryOf = (info: Info): readonly Finding[] => {
  const [used, most] = [Number(info.used_memory), Number(info.maxmemory)];
  return [
    ...(info.maxmemory_policy?.startsWith("allkeys") === true
      ? [
          warning(
            `Redis drops keys of any tenant when it is full (maxmemory-policy ${info.maxmemory_policy})`,
            "redis-cli CONFIG SET maxmemory-policy noeviction",
          ),
        ]
      : []),
    ...(most > 0 && used >= 0.9 * most
      ? [warning(`Redis uses ${used} of ${most} bytes`, "redis-cli CONFIG SET maxmemory <more>")]
      : []),
  ];
};
