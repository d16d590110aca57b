import assert from "node:assert/strict";
import { test } from "node:test";
import { toContainerError } from "./errors.ts";

const answered = (statusCode: number, message: string): unknown =>
  Object.assign(new Error(`(HTTP code ${statusCode}) ${message}`), { statusCode, json: { message } });

// The engine's own words: Docker 20.10 where not said otherwise.
const cases: [unknown, string][] = [
  [answered(404, "No such image: qdrant/qdrant:v1.15.4"), "image-missing"],
  [answered(404, "No such container: x"), "missing"],
  [answered(404, "network deeplens-network not found"), "network-missing"],
  [
    answered(
      500,
      "driver failed programming external connectivity on endpoint x (0): Bind for 127.0.0.1:6433 failed: port is already allocated",
    ),
    "port-taken",
  ],
  [
    answered(
      500,
      "driver failed programming external connectivity on endpoint x (0): Error starting userland proxy: listen tcp4 127.0.0.1:6433: bind: address already in use",
    ),
    "port-taken",
  ],
  // Docker 28
  [
    answered(
      500,
      "failed to set up container networking: driver failed programming external connectivity on endpoint x (0): failed to bind host port for 127.0.0.1:6433:172.18.0.2:6333/tcp: address already in use",
    ),
    "port-taken",
  ],
  [answered(500, "mkdir /var/lib/docker/overlay2/x: no space left on device"), "disk-full"],
  [answered(409, "remove deeplens_qdrant_acme_data: volume is in use - [0]"), "in-use"],
  [answered(500, "something else"), "engine-error"],
  [Object.assign(new Error("connect ENOENT /var/run/docker.sock"), { code: "ENOENT" }), "engine-unreachable"],
  [Object.assign(new Error("socket hang up"), { code: "ECONNRESET" }), "engine-unreachable"],
];

for (const [thrown, code] of cases)
  test(`"${(thrown as Error).message.slice(0, 60)}..." is ${code}`, () => {
    assert.equal(toContainerError("do it", "unix:///x", thrown).code, code);
  });

test("the message says what was done, where, and what to do", () => {
  const [gone] = [Object.assign(new Error("x"), { code: "ECONNREFUSED" })];
  assert.match(
    toContainerError("start container a", "tcp://h:1", gone).message,
    /^start container a: the container engine at tcp:\/\/h:1 does not answer \(ECONNREFUSED\)\. Start it/,
  );
  assert.match(
    toContainerError("make container a", "x", answered(404, "No such image: b:1")).message,
    /^make container a: No such image: b:1\. Pull or build that image/,
  );
});
