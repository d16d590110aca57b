import { once } from "node:events";
import { type IncomingMessage, request as requestHttp } from "node:http";
import { request as requestHttps } from "node:https";
import type { Readable } from "node:stream";
import { text } from "node:stream/consumers";

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
  readonly body: unknown;
  readonly signal: AbortSignal;
}): Promise<Answer> => {
  const { url, method, signal } = options;
  const body = options.body === undefined ? undefined : JSON.stringify(options.body);
  const send = url.protocol === "https:" ? requestHttps : requestHttp;
  const outgoing = send(url, {
    method,
    signal,
    headers: {
      ...options.headers,
      ...(body === undefined
        ? { "content-length": "0" }
        : { "content-type": "application/json", "content-length": String(Buffer.byteLength(body)) }),
    },
  });
  outgoing.end(body);
  try {
    const [incoming] = (await once(outgoing, "response")) as [IncomingMessage];
    return { status: incoming.statusCode ?? 0, body: incoming, text: () => text(incoming) };
  } catch (error) {
    signal.throwIfAborted();
    throw new Error(`${url.origin} does not answer: ${(error as Error).message}`, { cause: error });
  }
};
