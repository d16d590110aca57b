/**
 * The test installation's Postgres and Redis, which run in Docker, as Podman's containers see them: under the same
 * names, in a network of the same name. In it a container listens under each name and passes connections on to the
 * host, where this process takes them to the port that Docker publishes.
 */
import { connect, createServer, type Server } from "node:net";
import type { OwnPodman } from "../../libs/containers/src/testing/own-podman.ts";

export interface DockerService {
  readonly name: string;
  /** Inside the network. */
  readonly port: number;
  /** On the host's 127.0.0.1. */
  readonly publishedPort: number;
}

/** in: the network's name, and an image with node in it. Gives what ends it. */
export const passOn = async (
  { podman }: OwnPodman,
  network: string,
  image: string,
  services: readonly DockerService[],
): Promise<() => void> => {
  await podman("network", "create", network);
  const gateway = await podman(
    ...["network", "inspect", network, "--format", "{{range .Subnets}}{{.Gateway}}{{end}}"],
  );
  // The host has that address once a container is in the network.
  for (const { name, port } of services) {
    const relay = `require("node:net").createServer((from) => {
      const to = require("node:net").connect(${port}, ${JSON.stringify(gateway)});
      for (const [one, other] of [[from, to], [to, from]]) one.on("error", () => other.destroy()).pipe(other);
    }).listen(${port})`;
    await podman("run", "--detach", "--network", network, "--name", name, image, "node", "-e", relay);
  }
  const servers = await Promise.all(
    services.map(({ port, publishedPort }) => listen(gateway, port, publishedPort)),
  );
  return () => {
    for (const server of servers) server.close();
  };
};

const listen = async (host: string, port: number, to: number): Promise<Server> => {
  const server = createServer((from) => {
    const onward = connect(to, "127.0.0.1");
    from.on("error", () => onward.destroy()).pipe(onward);
    onward.on("error", () => from.destroy()).pipe(from);
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject).listen(port, host, resolve);
  });
  return server;
};
