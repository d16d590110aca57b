import assert from "node:assert/strict";
import { test } from "node:test";
import { parseEngineAddress } from "./address.ts";

test("DOCKER_HOST is a socket's path or a host and port; nothing means Docker's own socket", () => {
  const optionsOf = (text?: string): unknown => parseEngineAddress(text).options;
  const socket = (socketPath: string): unknown => ({ socketPath, host: undefined, port: undefined });
  assert.deepEqual(optionsOf(), socket("/var/run/docker.sock"));
  assert.deepEqual(optionsOf(""), socket("/var/run/docker.sock"));
  assert.deepEqual(optionsOf("unix:///run/podman/podman.sock"), socket("/run/podman/podman.sock"));
  assert.deepEqual(optionsOf("tcp://10.0.0.7:2375"), { protocol: "http", host: "10.0.0.7", port: 2375 });
});

test("anything else is refused by name, with what to write instead", () => {
  for (const wrong of ["localhost", "tcp://localhost", "unix://relative", "ssh://me@host", "http://host:1/x"])
    assert.throws(
      () => parseEngineAddress(wrong),
      /^Error: DOCKER_HOST: ".+" is no engine's address; use unix:/,
    );
});
