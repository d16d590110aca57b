import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { agentPort } from "@deeplens/backup";
import type { PublishedPort } from "@deeplens/containers";

const address = "127.0.0.1";

/** What an agent's container publishes: nothing in the installation's network, else one port that is free now. */
export const freePort = async (reach: "network" | "published"): Promise<readonly PublishedPort[]> => {
  if (reach === "network") return [];
  const server = createServer().listen(0, address);
  await once(server, "listening");
  const host = (server.address() as AddressInfo).port;
  server.close();
  await once(server, "close");
  return [{ container: agentPort, address, host }];
};
