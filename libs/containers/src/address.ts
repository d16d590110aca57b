import type { DockerOptions } from "dockerode";

const defaultHost = "unix:///var/run/docker.sock";

export interface EngineAddress {
  /** As a person writes it: for messages. */
  readonly text: string;
  readonly options: DockerOptions;
}

/**
 * Where the engine is, from what DOCKER_HOST says (`unix:///path`, `tcp://host:port`; empty means Docker's own socket).
 * @throws Error naming DOCKER_HOST for anything else
 */
export const parseEngineAddress = (dockerHost: string | undefined): EngineAddress => {
  const text = dockerHost === undefined || dockerHost === "" ? defaultHost : dockerHost;
  const socketPath = /^unix:\/\/(\/.+)$/.exec(text)?.[1];
  // The host is cleared by name: the client would else take another one from the environment.
  if (socketPath !== undefined) return { text, options: { socketPath, host: undefined, port: undefined } };
  const tcp = /^tcp:\/\/(\[[0-9a-fA-F:]+\]|[^:/\s]+):(\d+)\/?$/.exec(text);
  if (tcp?.[1] !== undefined)
    return { text, options: { protocol: "http", host: tcp[1], port: Number(tcp[2]) } };
  throw new Error(
    `DOCKER_HOST: "${text}" is no engine's address; use unix:///path/to/socket or tcp://host:port`,
  );
};
