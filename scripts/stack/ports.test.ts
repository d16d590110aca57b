import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:net";
import { test } from "node:test";
import { isTaken } from "../../libs/service/src/listening-process.ts";
import { portHolder } from "./port-holder.ts";
import { choosePorts, portOffset, portVariable } from "./ports.ts";

test("an installation beside the person's own has the default ports, moved", () => {
  const ports = choosePorts({}, {}, 20_000);
  assert.equal(ports.kafka, 29_092);
  assert.equal(ports.qdrantGrpc, 26_434);
});

test("an offset that is no number is refused by its own name", (t) => {
  const before = process.env.DEEPLENS_PORT_OFFSET;
  t.after(() => {
    process.env.DEEPLENS_PORT_OFFSET = before ?? "";
  });
  process.env.DEEPLENS_PORT_OFFSET = "2OOOO";
  assert.throws(() => portOffset("deeplens"), /DEEPLENS_PORT_OFFSET is "2OOOO"/);
  process.env.DEEPLENS_PORT_OFFSET = "";
  assert.deepEqual([portOffset("deeplens"), portOffset("deeplens-test")], [0, 20_000]);
});

test("a port that was chosen once is kept, and the environment goes before it", () => {
  assert.equal(choosePorts({}, { redis: 7000 }, 0).redis, 7000);
  assert.equal(choosePorts({ DEEPLENS_PORT_REDIS: "7001" }, { redis: 7000 }, 0).redis, 7001);
});

test("the variable of a service is its name in capitals", () => {
  assert.equal(portVariable("schemaRegistry"), "DEEPLENS_PORT_SCHEMA_REGISTRY");
});

test("what is no port is refused by the variable's name", () => {
  for (const wrong of ["0", "65536", "80a", "-1", "1.5"]) {
    assert.throws(() => choosePorts({ DEEPLENS_PORT_MINIO: wrong }, {}, 0), /DEEPLENS_PORT_MINIO/);
  }
});

test("a port asked for twice is refused", () => {
  assert.throws(() => choosePorts({ DEEPLENS_PORT_MINIO: "8081" }, {}, 0), /8081 is asked for twice/);
});

test("a taken port is seen, and its process is named", async (t) => {
  const server = createServer().listen(0, "127.0.0.1");
  t.after(() => server.close());
  await once(server, "listening");
  const address = server.address();
  assert.ok(address !== null && typeof address === "object");
  assert.equal(await isTaken(address.port), true);
  assert.match(await portHolder(address.port), new RegExp(`\\(pid ${process.pid}\\)`));
});

test("a free port is free", async () => {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  assert.ok(address !== null && typeof address === "object");
  server.close();
  await once(server, "close");
  assert.equal(await isTaken(address.port), false);
});
