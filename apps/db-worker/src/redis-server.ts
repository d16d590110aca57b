import { PermanentStepError } from "@deeplens/worker";
import { Redis, ReplyError } from "ioredis";
import type { KnownCommands } from "./redis-rules.ts";

/** The shared Redis, and the administrator's connection to it. */
export interface RedisServer {
  readonly host: string;
  readonly port: number;
  readonly admin: Redis;
}

const commandMs = 10_000;

/** The administrator's connection: it reconnects for ever, and a command fails when there is none for 10 s. */
export const connectRedis = (options: {
  host: string;
  port: number;
  username: string;
  password: string;
  onError: (error: Error) => void;
}): RedisServer => {
  const { host, port, username, password, onError } = options;
  const admin = new Redis({
    ...{ host, port, username, password },
    connectionName: "deeplens-db-worker",
    commandTimeout: commandMs,
    connectTimeout: 5_000,
    maxRetriesPerRequest: 3,
    retryStrategy: (attempt) => Math.min(attempt * 200, 2_000),
  });
  admin.on("error", onError);
  return { host, port, admin };
};

/** Runs `work` with the administrator's connection; where there is none, its error says whose absence it is. */
export const askingRedis = async <T>({ host, port }: RedisServer, work: () => Promise<T>): Promise<T> => {
  try {
    return await work();
  } catch (error) {
    // All that ioredis says is that its retries are used up.
    if (!(error instanceof Error) || error.name !== "MaxRetriesPerRequestError") throw error;
    throw new Error(`Redis at ${host}:${port} does not answer`, { cause: error });
  }
};

/** Runs `work` logged in as a user, and closes the connection; a wrong password is an error at once. */
export const asRedisUser = async <T>(
  server: Pick<RedisServer, "host" | "port">,
  login: { username: string; password: string },
  work: (client: Redis) => Promise<T>,
): Promise<T> => {
  const client = new Redis({
    ...{ host: server.host, port: server.port, ...login },
    lazyConnect: true,
    enableReadyCheck: false,
    commandTimeout: commandMs,
    connectTimeout: 5_000,
    maxRetriesPerRequest: 0,
    retryStrategy: () => null,
  });
  // "Connection is closed" is all that a command says; why it was closed is said here.
  let reason: Error | undefined;
  client.on("error", (error) => {
    reason = error;
  });
  try {
    await client.connect();
    return await work(client);
  } catch (error) {
    throw error instanceof ReplyError ? error : (reason ?? error);
  } finally {
    client.disconnect();
  }
};

/** True for Redis's refusal of a command, a key or a channel by the user's ACL. */
export const isRefusal = (error: unknown): boolean =>
  error instanceof ReplyError && (error as Error).message.startsWith("NOPERM");

export const redisUserExists = async (admin: Redis, name: string): Promise<boolean> =>
  (await admin.call("ACL", "GETUSER", name)) !== null;

/** What the server's commands are, by category. */
export const knownCommands = async (admin: Redis): Promise<KnownCommands> => {
  const categories = (await admin.call("ACL", "CAT")) as string[];
  const lists = await Promise.all(
    categories.map(async (category) => (await admin.call("ACL", "CAT", category)) as string[]),
  );
  return new Map(categories.map((category, index) => [category, lists[index] ?? []]));
};

/**
 * Makes the users as they are now outlive a restart: ACL SAVE where the server has an aclfile, else CONFIG REWRITE.
 *
 * @throws PermanentStepError `redis-users-not-durable` where the server has neither file: only its operator can help
 */
export const saveRedisUsers = async (admin: Redis): Promise<void> => {
  const [, file] = (await admin.call("CONFIG", "GET", "aclfile")) as string[];
  const [command, act] =
    file === undefined || file === "" ? (["CONFIG", "REWRITE"] as const) : (["ACL", "SAVE"] as const);
  try {
    const answer = await admin.call(command, act);
    if (answer !== "OK") throw new Error(`Redis answered ${String(answer)} to ${command} ${act}`);
  } catch (error) {
    if (!(error as Error).message.includes("without a config file")) throw error;
    throw new PermanentStepError(
      "redis-users-not-durable",
      "Redis has neither an aclfile nor a configuration file, so that a user would be gone after its restart; start it with --aclfile, then replay",
      { cause: error },
    );
  }
};

/** True for Redis's refusal of a login: a wrong password, or a user that is off or gone. */
export const isLoginRefusal = (error: unknown): boolean =>
  error instanceof ReplyError && (error as Error).message.startsWith("WRONGPASS");

/** Ends every session of a user; who may still log in can open another one. @throws where one of them goes on */
export const endRedisSessions = async (admin: Redis, name: string): Promise<void> => {
  const sessions = async (): Promise<string[]> =>
    String(await admin.call("CLIENT", "LIST"))
      .split("\n")
      .map((line) => line.split(" "))
      .flatMap((words) =>
        words.includes(`user=${name}`) ? words.filter((word) => word.startsWith("id=")) : [],
      );
  const before = await sessions();
  await admin.call("CLIENT", "KILL", "USER", name);
  const after = await sessions();
  if (before.some((id) => after.includes(id))) throw new Error(`Redis still has a session of user ${name}`);
};

/** Removes every key that matches a pattern, as many as there are, while it walks through the server's keys. */
export const unlinkKeysLike = async (admin: Redis, pattern: string, signal: AbortSignal): Promise<void> => {
  let cursor = "0";
  do {
    signal.throwIfAborted();
    const [next, keys] = await admin.scan(cursor, "MATCH", pattern, "COUNT", 5_000);
    if (keys.length > 0) await admin.unlink(...keys);
    cursor = next;
  } while (cursor !== "0");
};

/** The keys that match a pattern, `most` of them at the most. Walks through all keys of the server, in steps. */
export const keysLike = async (
  admin: Redis,
  pattern: string,
  signal: AbortSignal,
  most = Number.POSITIVE_INFINITY,
): Promise<string[]> => {
  const found = new Set<string>();
  let cursor = "0";
  do {
    signal.throwIfAborted();
    const [next, keys] = await admin.scan(cursor, "MATCH", pattern, "COUNT", 5_000);
    for (const key of keys) found.add(key);
    cursor = next;
  } while (cursor !== "0" && found.size < most);
  return [...found];
};
