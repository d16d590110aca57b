import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { createLogger } from "@deeplens/telemetry";
import { stack } from "@deeplens/testing";
import { connectKafka, createConsumer, createProducer } from "./connect.ts";
import { askKafka, leaveGroup } from "./leave-group.ts";

const { kafka: address } = stack();
const kafka = connectKafka(address, { clientId: "leave-group", log: createLogger("test", "silent") });
const soon = (): AbortSignal => AbortSignal.timeout(10_000);

test("a group waits for a member that fell silent, and no longer when that one is taken out of it", async (t) => {
  const name = `leave-group-${randomBytes(4).toString("hex")}`;
  const admin = kafka.admin();
  await admin.connect();
  await admin.createTopics({ waitForLeaders: true, topics: [{ topic: name, numPartitions: 1 }] });
  const producer = createProducer(kafka);
  await producer.connect();
  await producer.send({ topic: name, messages: [{ value: "one" }] });
  await producer.disconnect();

  const member = (run: () => Promise<void>) => {
    const consumer = createConsumer(kafka, { groupId: name, sessionMs: 30_000 });
    const joined = new Promise<string>((resolve) =>
      consumer.on(consumer.events.GROUP_JOIN, ({ payload }) => resolve(payload.memberId)),
    );
    const start = async (): Promise<void> => {
      await consumer.connect();
      await consumer.subscribe({ topics: [name], fromBeginning: true });
      await consumer.run({ eachMessage: run });
    };
    return { consumer, joined, start };
  };
  const working = Promise.withResolvers<void>();
  const busy = Promise.withResolvers<void>();
  // While it works on a record it neither says that it lives nor joins again.
  const silent = member(() => {
    working.resolve();
    return busy.promise;
  });
  const next = member(async () => undefined);
  t.after(async () => {
    busy.resolve();
    await Promise.all([silent.consumer.disconnect(), next.consumer.disconnect()]);
    await admin.deleteGroups([name]).catch(() => undefined); // A leave may still be under way; Kafka forgets it then.
    await admin.deleteTopics({ topics: [name] });
    await admin.disconnect();
  });
  await silent.start();
  await working.promise;
  const memberId = await silent.joined;
  void next.start();
  assert.equal(await Promise.race([next.joined, delay(2_000, "waits")]), "waits");
  await leaveGroup(address, { groupId: name, memberId }, soon());
  assert.notEqual(await Promise.race([next.joined, delay(5_000, "waits")]), "waits");
});

test("a member that the group does not know has left; a broker that lets nobody in is no answer", async () => {
  await leaveGroup(address, { groupId: "nobodys-group", memberId: "nobody" }, soon());
  await askKafka(address, soon());
  await assert.rejects(askKafka({ ...address, password: "wrong" }, soon()), { code: 58 });
  await assert.rejects(askKafka({ ...address, brokers: ["127.0.0.1:1"] }, soon()), /ECONNREFUSED/);
});
