import { once } from "node:events";
import { connect, createServer, type Server, type Socket } from "node:net";

/** A way to a service that a test can close and open again; connections that are open are cut. */
export const startClosableProxy = async (
  target: URL,
): Promise<{ url: string; close(): Promise<void>; open(): Promise<void> }> => {
  const sockets = new Set<Socket>();
  let server: Server | undefined;
  let port = 0;
  const join = (incoming: Socket): void => {
    const outgoing = connect(Number(target.port), target.hostname);
    for (const socket of [incoming, outgoing]) {
      sockets.add(socket);
      socket.on("error", () => socket.destroy());
      socket.on("close", () => {
        sockets.delete(socket);
        incoming.destroy();
        outgoing.destroy();
      });
    }
    incoming.pipe(outgoing).pipe(incoming);
  };
  const open = async (): Promise<void> => {
    server = createServer(join).listen(port, "127.0.0.1");
    await once(server, "listening");
    const address = server.address();
    if (typeof address === "object" && address !== null) port = address.port;
  };
  await open();
  return {
    url: `http://127.0.0.1:${port}`,
    open,
    close: async () => {
      const closing = server;
      server = undefined;
      if (closing === undefined) return;
      const closed = once(closing, "close");
      closing.close();
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
};
