import { createServer, request as forward, type IncomingHttpHeaders, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";

export interface FrontAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

/** What stands between a client and an emulator: it refuses before the emulator is asked, or puts its answer right. */
export interface Between {
  refuse?(incoming: IncomingMessage): FrontAnswer | undefined;
  mend?(answer: FrontAnswer): FrontAnswer;
}

/** A server before an emulator that answers as the vendor documents where the emulator does not. */
export const startFront = async (
  target: string,
  { refuse = () => undefined, mend = (answer) => answer }: Between,
): Promise<{ readonly url: string; close(): Promise<void> }> => {
  const server = createServer(async (incoming, response) => {
    try {
      const body = Buffer.concat(await incoming.toArray());
      const answer = refuse(incoming) ?? mend(await asked(target, incoming, body));
      response.writeHead(answer.status, answer.headers).end(answer.body);
    } catch {
      // The emulator or the client went away: the connection breaks, as it would without a front, and the call fails.
      response.destroy();
    }
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
};

const asked = async (
  target: string,
  { method, url, headers }: IncomingMessage,
  body: Buffer,
): Promise<FrontAnswer> => {
  const { hostname, port, host } = new URL(target);
  const answered = Promise.withResolvers<IncomingMessage>();
  const outgoing = forward(
    { hostname, port, method, path: url, headers: { ...headers, host } },
    answered.resolve,
  );
  outgoing.on("error", answered.reject);
  outgoing.end(body);
  const answer = await answered.promise;
  const { "transfer-encoding": _chunked, ...rest } = answer.headers;
  return { status: answer.statusCode ?? 502, headers: rest, body: Buffer.concat(await answer.toArray()) };
};
