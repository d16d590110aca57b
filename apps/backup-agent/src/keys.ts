import { readFile } from "node:fs/promises";
import { Readable } from "node:stream";
import { type AgentSettings, type Digest, type RedisPart, restoreCommand } from "@deeplens/backup";
import { Redis } from "ioredis";

/** The tenant's keys in Redis, as far as a backup needs them. */
export interface Keys {
  /** Hands the commands that put all keys back to `write`. Keys that change meanwhile are taken as they are met. */
  dump(
    write: (commands: Readable) => Promise<Digest>,
    signal: AbortSignal,
  ): Promise<Omit<RedisPart, "part" | "file" | "compression" | "toolVersion" | "takenAt">>;
  /** Rejects with the reason when it does not answer. */
  check(): Promise<void>;
}

const connectMs = 5_000;
const keysAtOnce = 100;

/** Redis by its protocol; `passwordFile` holds the password of the agent's own user, who reads only. */
export const redisKeys = (settings: AgentSettings["redis"], passwordFile: string): Keys => {
  const connected = async <T>(signal: AbortSignal, work: (client: Redis) => Promise<T>): Promise<T> => {
    const client = new Redis({
      host: settings.host,
      port: settings.port,
      username: settings.user,
      password: (await readFile(passwordFile, "utf8")).trim(),
      connectTimeout: connectMs,
      lazyConnect: true,
      enableOfflineQueue: false,
      enableReadyCheck: false,
      retryStrategy: () => null, // a backup that lost its session begins anew
      disableClientInfo: true,
    });
    // "Connection is closed" is all that a command says; why it was closed is said here.
    let reason: Error | undefined;
    client.on("error", (error) => {
      reason = error;
    });
    const stop = (): void => client.disconnect();
    signal.addEventListener("abort", stop, { once: true });
    try {
      signal.throwIfAborted();
      await client.connect();
      return await work(client);
    } catch (error) {
      signal.throwIfAborted();
      throw new Error(`Redis: ${(reason ?? (error as Error)).message}`, { cause: error });
    } finally {
      signal.removeEventListener("abort", stop);
      client.disconnect();
    }
  };

  return {
    check: () => connected(AbortSignal.timeout(connectMs), async (client) => void (await client.ping())),
    dump: (write, signal) =>
      connected(signal, async (client) => {
        const serverVersion = /redis_version:(\S+)/.exec(await client.info("server"))?.[1] ?? "unknown";
        let keys = 0;
        const commands = (async function* () {
          // SCAN may tell a key twice: a set would not be flat, and putting a key back twice puts it back once.
          for (let cursor = "0", first = true; first || cursor !== "0"; first = false) {
            const [next, found] = await client.scanBuffer(
              cursor,
              "MATCH",
              `${settings.prefix}*`,
              "COUNT",
              keysAtOnce,
            );
            cursor = next.toString();
            const dumped = await dumpAll(client, found);
            keys += dumped.length;
            yield* dumped;
          }
        })();
        const digest = await write(Readable.from(commands));
        return { ...digest, serverVersion, prefix: settings.prefix, keys };
      }),
  };
};

const dumpAll = async (client: Redis, keys: readonly Buffer[]): Promise<Buffer[]> => {
  if (keys.length === 0) return [];
  const asked = client.pipeline();
  for (const key of keys) asked.dumpBuffer(key).pexpiretime(key);
  const answers = (await asked.exec()) ?? [];
  for (const [error] of answers) if (error !== null) throw error;
  return keys.flatMap((key, at) => {
    const payload = answers[2 * at]?.[1] as Buffer | null;
    const expiresAtMs = Number(answers[2 * at + 1]?.[1]);
    // Gone since SCAN told it.
    if (payload === null || expiresAtMs === -2) return [];
    return [restoreCommand({ key, payload, expiresAtMs: expiresAtMs < 0 ? undefined : expiresAtMs })];
  });
};
