// The part of the Redis keys: the commands that put them back, in Redis's own protocol, one RESTORE a key. So
// `redis-cli --pipe` takes it as it is.

/** One key as DUMP gives it; `expiresAtMs` is undefined for a key that stays. */
export interface DumpedKey {
  readonly key: Buffer;
  readonly payload: Buffer;
  readonly expiresAtMs: number | undefined;
}

/** `RESTORE <key> <moment, or 0> <payload> REPLACE ABSTTL`: one whose time is up by then is not made. */
export const restoreCommand = ({ key, payload, expiresAtMs = 0 }: DumpedKey): Buffer =>
  command([
    Buffer.from("RESTORE"),
    key,
    Buffer.from(String(expiresAtMs)),
    payload,
    Buffer.from("REPLACE"),
    Buffer.from("ABSTTL"),
  ]);

const command = (words: readonly Buffer[]): Buffer => {
  const end = Buffer.from("\r\n");
  return Buffer.concat([
    Buffer.from(`*${words.length}\r\n`),
    ...words.flatMap((word) => [Buffer.from(`$${word.length}\r\n`), word, end]),
  ]);
};

/**
 * How many whole commands a stream holds, in flat memory.
 *
 * @throws when it is no stream of commands, or ends inside one
 */
export const countCommands = async (stream: AsyncIterable<Buffer>): Promise<number> => {
  let commands = 0;
  let words = 0; // of the command that is being read
  let skip = 0; // bytes of the word that is being read, and its line's end
  let line = "";
  for await (const chunk of stream)
    for (let at = 0; at < chunk.length; ) {
      if (skip > 0) {
        const passed = Math.min(skip, chunk.length - at);
        at += passed;
        skip -= passed;
        if (skip === 0 && --words === 0) commands += 1;
        continue;
      }
      const end = chunk.indexOf(10, at);
      line += chunk.toString("latin1", at, end === -1 ? chunk.length : end);
      if (line.length > 32) throw new Error("is no stream of Redis commands");
      if (end === -1) break;
      at = end + 1;
      const [, kind, number] = /^([*$])(\d+)\r$/.exec(line) ?? [];
      line = "";
      if (kind !== (words === 0 ? "*" : "$") || (words === 0 && number === "0"))
        throw new Error("is no stream of Redis commands");
      if (words === 0) words = Number(number);
      else skip = Number(number) + 2;
    }
  if (words > 0 || line !== "") throw new Error("ends inside a Redis command");
  return commands;
};
