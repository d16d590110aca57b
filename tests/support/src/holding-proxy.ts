import { createServer, request as forward, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/**
 * A proxy before an HTTP service that holds the requests which `holds` names, and passes everything else on. A held
 * request reaches the service when it is let go, whatever became of who sent it.
 */
export const holdingProxy = async (target: string, holds: (method: string, url: string) => boolean) => {
  const { hostname, port } = new URL(target);
  const held: { url: string; letGo: () => Promise<void> }[] = [];
  const pass = async (incoming: IncomingMessage, response: ServerResponse, body: Buffer): Promise<void> => {
    const { method, url: path, headers } = incoming;
    const done = Promise.withResolvers<void>();
    const outgoing = forward({ hostname, port, method, path, headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
      answer.on("end", done.resolve);
    });
    outgoing.on("error", done.reject);
    outgoing.end(body);
    await done.promise;
  };
  const server = createServer(async (incoming, response) => {
    const body = Buffer.concat(await incoming.toArray());
    const url = incoming.url ?? "";
    if (!holds(incoming.method ?? "", url))
      return pass(incoming, response, body).catch(() => response.destroy());
    held.push({ url, letGo: () => pass(incoming, response, body) });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    held,
    close: async (): Promise<void> => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
};
