import { createHash, createHmac, pbkdf2, randomBytes, timingSafeEqual } from "node:crypto";
import { connect, type Socket } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { promisify } from "node:util";
import type { KafkaAddress } from "./connect.ts";

// Kafka's protocol as far as kafkajs has no word for what we ask: a socket, SaslHandshake (17 v1) and SaslAuthenticate
// (36 v1), and the encoding of requests, the "flexible" ones included (compact lengths and tagged fields).

/** The broker answered with an error: `code` is the protocol's number (31: not authorized, 58: wrong password). */
export class KafkaAnswerError extends Error {
  readonly code: number;
  constructor(doing: string, code: number, message: string | null) {
    super(`${doing}: Kafka error ${code}${message === null ? "" : ` (${message})`}`);
    this.name = "KafkaAnswerError";
    this.code = code;
  }
}

/** Throws where the code of an answer is not 0. `doing` begins the message. */
export const check = (doing: string, code: number, message: string | null): void => {
  if (code !== 0) throw new KafkaAnswerError(doing, code, message);
};

export const mechanism = { name: "SCRAM-SHA-512", id: 2, hash: "sha512", bytes: 64 };
export const derive = promisify(pbkdf2);

const saslHandshake = { key: 17, version: 1 };
const saslAuthenticate = { key: 36, version: 1 };

/** Sends one request and gives the answer to it, read past its header. */
export type Send = (
  api: { key: number; version: number },
  body: Buffer,
  options?: { flexible: boolean },
) => Promise<Answer>;

/** Logs in to any of the brokers that answers and gives `work` what sends; closes the connection in any case. */
export const withConnection = async <T>(
  address: KafkaAddress,
  signal: AbortSignal,
  work: (send: Send) => Promise<T>,
): Promise<T> => {
  const socket = await openAny(address.brokers, signal);
  const stop = (): void => void socket.destroy(signal.reason as Error);
  signal.addEventListener("abort", stop, { once: true });
  try {
    signal.throwIfAborted();
    const send = sender(socket);
    await authenticate(send, address);
    // In a process that was stopped and goes on, answers are read before timers are: a deadline that has passed gets
    // its turn here, before anything is changed.
    await delay(1);
    signal.throwIfAborted();
    return await work(send);
  } finally {
    signal.removeEventListener("abort", stop);
    socket.destroy();
  }
};

const openAny = async (brokers: readonly string[], signal: AbortSignal): Promise<Socket> => {
  let last: unknown = new Error("no broker is configured");
  for (const broker of brokers) {
    signal.throwIfAborted();
    try {
      return await open(broker);
    } catch (error) {
      last = error;
    }
  }
  throw last;
};

const open = (broker: string): Promise<Socket> =>
  new Promise((resolve, reject) => {
    const [, host, port] = /^(.*):(\d+)$/.exec(broker) ?? [];
    const socket = connect({
      host: (host ?? broker).replace(/^\[|\]$/g, ""),
      port: Number(port ?? 9092),
      noDelay: true,
    });
    const late = setTimeout(() => socket.destroy(new Error(`no connection to ${broker} within 5 s`)), 5_000);
    socket
      .once("close", () => clearTimeout(late))
      .once("error", reject)
      .once("connect", () => {
        clearTimeout(late);
        resolve(socket);
      });
  });

// One request at a time: the next answer is the answer to it.
const sender = (socket: Socket): Send => {
  let received = Buffer.alloc(0);
  let waiting: { resolve(answer: Buffer): void; reject(error: Error): void } | undefined;
  socket.on("data", (chunk) => {
    received = Buffer.concat([received, chunk]);
    if (received.length < 4) return;
    const end = 4 + received.readInt32BE(0);
    if (received.length < end) return;
    waiting?.resolve(received.subarray(4, end));
    received = received.subarray(end);
  });
  socket.on("error", (error) => waiting?.reject(error));
  socket.on("close", () => waiting?.reject(new Error("Kafka closed the connection")));
  let correlation = 0;
  return async (api, body, { flexible } = { flexible: false }) => {
    correlation += 1;
    const header = [int16(api.key), int16(api.version), int32(correlation), int16(-1)];
    const tags = flexible ? [uvarint(0)] : [];
    const request = Buffer.concat([...header, ...tags, body, ...tags]);
    const answer = new Promise<Buffer>((resolve, reject) => {
      waiting = { resolve, reject };
    });
    socket.write(Buffer.concat([int32(request.length), request]));
    const reader = answerReader(await answer);
    reader.int32();
    if (flexible) reader.tags();
    return reader;
  };
};

// RFC 5802, without channel binding.
const authenticate = async (send: Send, { username, password }: KafkaAddress): Promise<void> => {
  const handshake = await send(saslHandshake, classicString(mechanism.name));
  check(`choose ${mechanism.name}`, handshake.int16(), null);

  const exchange = async (text: string): Promise<string> => {
    const message = Buffer.from(text);
    const answer = await send(saslAuthenticate, Buffer.concat([int32(message.length), message]));
    check(`log in to Kafka as ${username}`, answer.int16(), answer.classicString());
    return answer.classicBytes().toString();
  };
  const name = username.replaceAll("=", "=3D").replaceAll(",", "=2C");
  const first = `n=${name},r=${randomBytes(24).toString("base64url")}`;
  const challenge = await exchange(`n,,${first}`);
  const part = (key: string): string =>
    new RegExp(`(?:^|,)${key}=([^,]*)`).exec(challenge)?.[1] ??
    refuse(`no ${key} in Kafka's SCRAM challenge`);
  const salted = await derive(
    password,
    Buffer.from(part("s"), "base64"),
    Number(part("i")),
    mechanism.bytes,
    mechanism.hash,
  );
  const clientKey = hmac(salted, "Client Key");
  const final = `c=biws,r=${part("r")}`;
  const signed = `${first},${challenge},${final}`;
  const signature = hmac(createHash(mechanism.hash).update(clientKey).digest(), signed);
  const proof = clientKey.map((byte, index) => byte ^ (signature[index] ?? 0));
  const verdict = await exchange(`${final},p=${Buffer.from(proof).toString("base64")}`);
  const expected = Buffer.from(`v=${hmac(hmac(salted, "Server Key"), signed).toString("base64")}`);
  const given = Buffer.from(verdict);
  if (given.length !== expected.length || !timingSafeEqual(given, expected))
    refuse("Kafka could not prove that it knows the password");
};

const hmac = (key: Uint8Array, text: string): Buffer => createHmac(mechanism.hash, key).update(text).digest();

const refuse = (reason: string): never => {
  throw new Error(reason);
};

// --- the encoding

export const int8 = (value: number): Buffer => Buffer.from([value]);
const int16 = (value: number): Buffer => {
  const buffer = Buffer.alloc(2);
  buffer.writeInt16BE(value);
  return buffer;
};
export const int32 = (value: number): Buffer => {
  const buffer = Buffer.alloc(4);
  buffer.writeInt32BE(value);
  return buffer;
};
const uvarint = (value: number): Buffer => {
  const out: number[] = [];
  for (; value > 0x7f; value >>>= 7) out.push((value & 0x7f) | 0x80);
  return Buffer.from([...out, value]);
};
export const bytes = (value: Buffer): Buffer => Buffer.concat([uvarint(value.length + 1), value]);
export const string = (value: string): Buffer => bytes(Buffer.from(value));
export const classicString = (value: string): Buffer =>
  Buffer.concat([int16(Buffer.byteLength(value)), Buffer.from(value)]);
// A compact array of structures, each closed by its (empty) tagged fields.
export const array = (items: readonly Buffer[]): Buffer =>
  Buffer.concat([uvarint(items.length + 1), ...items.flatMap((item) => [item, uvarint(0)])]);

export type Answer = ReturnType<typeof answerReader>;

const answerReader = (buffer: Buffer) => {
  let at = 0;
  const take = (length: number): Buffer => {
    if (at + length > buffer.length) throw new Error("Kafka's answer is shorter than it says");
    at += length;
    return buffer.subarray(at - length, at);
  };
  const unsigned = (): number => {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = take(1).readUInt8();
      value |= (byte & 0x7f) << shift;
      if ((byte & 0x80) === 0) return value;
    }
  };
  const tags = (): void => {
    for (let count = unsigned(); count > 0; count--) {
      unsigned();
      take(unsigned());
    }
  };
  return {
    tags,
    int8: (): number => take(1).readInt8(),
    int16: (): number => take(2).readInt16BE(),
    int32: (): number => take(4).readInt32BE(),
    string: (): string | null => {
      const length = unsigned();
      return length === 0 ? null : take(length - 1).toString();
    },
    array: <T>(item: () => T): T[] => {
      const items: T[] = [];
      for (let count = unsigned() - 1; count > 0; count--) {
        items.push(item());
        tags();
      }
      return items;
    },
    classicString: (): string | null => {
      const length = take(2).readInt16BE();
      return length < 0 ? null : take(length).toString();
    },
    classicBytes: (): Buffer => take(Math.max(0, take(4).readInt32BE())),
  };
};
