import { once } from "node:events";
import { type IncomingMessage, request as requestHttp } from "node:http";
import { request as requestHttps } from "node:https";
import { Readable, type Writable } from "node:stream";
import { text } from "node:stream/consumers";
import { pipeline } from "node:stream/promises";

export interface Answer {
  readonly status: number;
  readonly body: Readable;
  text(): Promise<string>;
}

/**
 * One HTTP request whose answer can be streamed. Not `fetch`: that gives up when no header came within five minutes,
 * and a snapshot of a large collection takes longer. Only the signal ends this one.
 *
 * @throws when nothing answers; the message names the address
 */
export const request = async (options: {
  readonly url: URL;
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Sent as JSON; a stream as it is. */
  readonly body: unknown;
  readonly signal: AbortSignal;
}): Promise<Answer> => {
  const { url, method, signal } = options;
  const stream = options.body instanceof Readable ? options.body : undefined;
  const body = stream !== undefined || options.body === undefined ? undefined : JSON.stringify(options.body);
  const send = url.protocol === "https:" ? requestHttps : requestHttp;
  const outgoing = send(url, {
    method,
    signal,
    headers: {
      ...options.headers,
      ...(stream !== undefined
        ? {}
        : body === undefined
          ? { "content-length": "0" }
          : { "content-type": "application/json", "content-length": String(Buffer.byteLength(body)) }),
    },
  });
  try {
    const answer = once(outgoing, "response") as Promise<[IncomingMessage]>;
    if (stream === undefined) outgoing.end(body);
    else await sent(stream, outgoing, answer);
    const [incoming] = await answer;
    return { status: incoming.statusCode ?? 0, body: incoming, text: () => text(incoming) };
  } catch (error) {
    signal.throwIfAborted();
    throw new Error(`${url.origin} does not answer: ${(error as Error).message}`, { cause: error });
  }
};

/** A server may answer before it has read all, and hang up then: its answer is what counts. */
const sent = async (body: Readable, outgoing: Writable, answer: Promise<unknown>): Promise<void> => {
  const refused = answer.then(() => undefined);
  await Promise.race([pipeline(body, outgoing), refused]).catch(async (error: unknown) => {
    // What the body itself broke on is the reason; else the server hung up, and may have said why.
    if (body.errored !== null && body.errored !== undefined) throw body.errored;
    await refused.catch(() => {
      throw error;
    });
  });
};
