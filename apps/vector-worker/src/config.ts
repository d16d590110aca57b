import { parseEngineAddress } from "@deeplens/containers";
import { type ConfigRule, port, positive } from "@deeplens/service";
import { type WorkerConfig, workerSettings } from "@deeplens/worker";
import { z } from "zod";
import type { PortRange } from "./port-leases.ts";
import { type Distance, distances } from "./qdrant.ts";

/** The environment of this process. */
export const vectorSettings = {
  ...workerSettings,
  DOCKER_HOST: z
    .string()
    .default("unix:///var/run/docker.sock")
    .refine(isEngineAddress, "must be unix:///path/to/socket or tcp://host:port"),
  QDRANT_IMAGE: z.string().min(1),
  /** How this process reaches a tenant's Qdrant: by name in the installation's network, or by its published port. */
  QDRANT_REACH: z.enum(["network", "published"]).default("network"),
  QDRANT_HTTP_PORT_BASE: port.min(1).default(6433),
  QDRANT_GRPC_PORT_BASE: port.min(1).default(6434),
  QDRANT_PORT_PAIRS: positive.default(500),
  PUBLISH_ADDRESS: z.union([z.ipv4(), z.ipv6()]).default("127.0.0.1"),
  VECTOR_SIZE: positive.max(65_536).default(512),
  VECTOR_DISTANCE: z.enum(distances).default("Cosine"),
};

export interface VectorConfig extends WorkerConfig {
  readonly DOCKER_HOST: string;
  readonly QDRANT_IMAGE: string;
  readonly QDRANT_REACH: "network" | "published";
  readonly QDRANT_HTTP_PORT_BASE: number;
  readonly QDRANT_GRPC_PORT_BASE: number;
  readonly QDRANT_PORT_PAIRS: number;
  readonly PUBLISH_ADDRESS: string;
  readonly VECTOR_SIZE: number;
  readonly VECTOR_DISTANCE: Distance;
}

type Ports = Pick<VectorConfig, "QDRANT_HTTP_PORT_BASE" | "QDRANT_GRPC_PORT_BASE" | "QDRANT_PORT_PAIRS">;

/** The pairs that may be leased: every second port from each base. */
export const portRangeOf = (config: Ports): PortRange => ({
  httpBase: config.QDRANT_HTTP_PORT_BASE,
  grpcBase: config.QDRANT_GRPC_PORT_BASE,
  pairs: config.QDRANT_PORT_PAIRS,
});

/** No port is both an HTTP and a gRPC port, and none lies above 65535. */
export const portRule: ConfigRule<Ports> = (config) => {
  const range = portRangeOf(config);
  const problems: string[] = [];
  if ((range.httpBase - range.grpcBase) % 2 === 0)
    problems.push(
      "QDRANT_GRPC_PORT_BASE: must be odd where QDRANT_HTTP_PORT_BASE is even, and even where it is odd: the two rows of ports would meet",
    );
  if (Math.max(range.httpBase, range.grpcBase) + 2 * (range.pairs - 1) > 65_535)
    problems.push(`QDRANT_PORT_PAIRS: ${range.pairs} pairs from these bases go beyond port 65535`);
  return problems;
};

function isEngineAddress(text: string): boolean {
  try {
    parseEngineAddress(text);
    return true;
  } catch {
    return false;
  }
}
