import type { TenantToBackUp } from "@deeplens/backup/testing";
import { labelNames, networkName } from "@deeplens/contracts";
import type { CleanUps } from "@deeplens/testing";
import Docker from "dockerode";

/** The network of a test's installation, where an agent that a whole worker process makes sees what it backs up. */
export interface OwnNetwork {
  /**
   * Brings the source's Qdrant into it, and a container that passes connections on to the test installation's Postgres
   * and Redis: those are others' too, and are left alone.
   *
   * @returns the host that stands for both in it
   */
  open(source: TenantToBackUp): Promise<string>;
}

// Node's own; what it says has no secret: it knows none.
const relay = (host: string, port: number): string =>
  `require("node:net").createServer((from) => {
     const to = require("node:net").connect(${port}, ${JSON.stringify(host)});
     for (const [one, other] of [[from, to], [to, from]]) one.on("error", () => other.destroy()).pipe(other);
   }).listen(${port})`;

/** To be made before the source, for it is removed after everything in it. */
export const ownNetwork = ({ add: after }: CleanUps): OwnNetwork => {
  const docker = new Docker();
  let made: Docker.Network | undefined;
  after(async () => void (await made?.remove()));
  return {
    open: async ({ installation, engine, image, network, database, redis, vectors }) => {
      const [own, labels] = [networkName(installation), { [labelNames.installation]: installation }];
      made = await docker.createNetwork({ Name: own, Labels: labels });
      const name = `${installation}-relay`;
      await engine.ensureContainer({
        ...{ name, image, labels, network: own, volumes: [], ports: [] },
        command: ["node", "-e", [database, redis].map(({ host, port }) => relay(host, port)).join(";")],
        limits: { memoryBytes: 128 * 1024 ** 2, cpus: 1, pids: 50 },
      });
      await docker.getNetwork(network).connect({ Container: name });
      await engine.start(name);
      await made.connect({ Container: new URL(vectors.url).hostname });
      return name;
    },
  };
};
