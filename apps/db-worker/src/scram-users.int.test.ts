import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { after, it } from "node:test";
import { anchorUser, KafkaAnswerError, scramUsers } from "@deeplens/messaging";
import { stack } from "@deeplens/testing";
import { seen } from "./kafka-cluster.ts";

const address = stack().kafka;
const users = scramUsers(address);
const name = `dbw-scram,=${randomBytes(4).toString("hex")}`; // the two characters that SCRAM escapes
const forever = AbortSignal.timeout(120_000);
after(() => users.remove(name, forever));

const refusedAs = (username: string, password: string) =>
  assert.rejects(scramUsers({ ...address, username, password }).has(name, forever), KafkaAnswerError);

it("a user is made, made again with another password, and removed; a missing one is said to be missing", async () => {
  assert.equal(await users.has(name, forever), false);
  await users.put(name, "first", forever);
  await seen(() => users.has(name, forever), forever);
  await users.put(name, "second", forever);
  assert.equal(await users.remove(name, forever), true);
  assert.equal(await users.remove(name, forever), false);
  await seen(async () => !(await users.has(name, forever)), forever);
});

it("the anchor is there as soon as a user is made or removed: a restarted Kafka forgets no user", async () => {
  await users.put(name, "first", forever);
  await seen(() => users.has(anchorUser, forever), forever);
  await users.remove(name, forever);
  assert.equal(await users.has(anchorUser, forever), true);
});

it("a wrong password, and a right one without the right to ask, are told apart by their codes", async () => {
  const plain = name.replace(",=", "-");
  await users.put(plain, "right", forever);
  await seen(() => users.has(plain, forever), forever);
  try {
    const codeOf = async (password: string): Promise<unknown> => {
      try {
        return await scramUsers({ ...address, username: plain, password }).has(name, forever);
      } catch (error) {
        return error instanceof KafkaAnswerError ? error.code : error;
      }
    };
    assert.equal(await codeOf("wrong"), 58);
    assert.equal(await codeOf("right"), 31);
  } finally {
    await users.remove(plain, forever);
  }
});

it("a broker that does not answer is passed over for the next", async () => {
  const two = scramUsers({ ...address, brokers: ["127.0.0.1:1", ...address.brokers] });
  assert.equal(await two.has(name, forever), false);
  await assert.rejects(
    scramUsers({ ...address, brokers: ["127.0.0.1:1"] }).has(name, forever),
    /ECONNREFUSED/,
  );
});

it("a call that is given up ends its connection", async () => {
  const stop = new AbortController();
  const asked = users.has(name, stop.signal);
  stop.abort(new Error("given up"));
  await assert.rejects(asked, /given up/);
  await refusedAs(name, "anything");
});
