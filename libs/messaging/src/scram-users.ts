import { randomBytes } from "node:crypto";
import type { KafkaAddress } from "./connect.ts";
import {
  type Answer,
  array,
  bytes,
  check,
  derive,
  int8,
  int32,
  mechanism,
  type Send,
  string,
  withConnection,
} from "./wire.ts";

// kafkajs cannot make SCRAM users, so this speaks the two requests that it takes: Describe- and
// AlterUserScramCredentials (50 and 51, v0). A broker hands the last one on to the controller.

const describeUsers = { key: 50, version: 0 };
const alterUsers = { key: 51, version: 0 };

/** The SCRAM-SHA-512 users of a cluster. A call takes any broker that answers, on a connection of its own. */
export interface ScramUsers {
  has(name: string, signal: AbortSignal): Promise<boolean>;
  /** Makes the user, or gives an existing one this password; the password itself does not travel. */
  put(name: string, password: string, signal: AbortSignal): Promise<void>;
  /** @returns false where there was no such user */
  remove(name: string, signal: AbortSignal): Promise<boolean>;
}

const iterations = 4_096;
const resourceNotFound = 91;

/**
 * A user that nobody can log in as, made before any other and never removed. Kafka up to 4.1 needs it: when it starts
 * and replays a metadata log that has no snapshot yet, it applies the changes of users in the order of Java's hash
 * table, and where a removal comes while its table is still empty, it forgets every user of the mechanism
 * (ScramDelta.apply): nobody, the administrator included, could log in again. A name whose hash is 0 comes first.
 * 3,000 replays of up to 600 users, two thirds of them removed: everybody lost in 2,022 without it, in none with it.
 */
export const anchorUser = "f5a5a608";

/** @param address an administrator's: it must be allowed to alter the cluster */
export const scramUsers = (address: KafkaAddress): ScramUsers => {
  let anchored = false;
  const anchor = async (send: Send): Promise<void> => {
    if (!anchored && !(await hasUser(send, anchorUser)))
      await putUser(send, anchorUser, randomBytes(32).toString("base64url"));
    anchored = true;
  };
  return {
    has: (name, signal) => withConnection(address, signal, (send) => hasUser(send, name)),
    put: (name, password, signal) =>
      withConnection(address, signal, async (send) => {
        await anchor(send);
        await putUser(send, name, password);
      }),
    remove: (name, signal) =>
      withConnection(address, signal, async (send) => {
        await anchor(send);
        return removeUser(send, name);
      }),
  };
};

const hasUser = async (send: Send, name: string): Promise<boolean> => {
  const answer = await send(describeUsers, array([string(name)]), { flexible: true });
  answer.int32();
  check("describe SCRAM users", answer.int16(), answer.string());
  const [result] = answer.array(() => {
    answer.string();
    const code = answer.int16();
    const message = answer.string();
    const mechanisms = answer.array(() => {
      const id = answer.int8();
      answer.int32();
      return id;
    });
    return { code, message, mechanisms };
  });
  if (result === undefined || result.code === resourceNotFound) return false;
  check(`describe SCRAM user ${name}`, result.code, result.message);
  return result.mechanisms.includes(mechanism.id);
};

const putUser = async (send: Send, name: string, password: string): Promise<void> => {
  const salt = randomBytes(24);
  const salted = await derive(password, salt, iterations, mechanism.bytes, mechanism.hash);
  const put = [string(name), int8(mechanism.id), int32(iterations), bytes(salt), bytes(salted)];
  const body = Buffer.concat([array([]), array([Buffer.concat(put)])]);
  const { code, message } = alterResult(await send(alterUsers, body, { flexible: true }));
  check(`make SCRAM user ${name}`, code, message);
};

const removeUser = async (send: Send, name: string): Promise<boolean> => {
  const user = Buffer.concat([string(name), int8(mechanism.id)]);
  const body = Buffer.concat([array([user]), array([])]);
  const { code, message } = alterResult(await send(alterUsers, body, { flexible: true }));
  if (code === resourceNotFound) return false;
  check(`remove SCRAM user ${name}`, code, message);
  return true;
};

const alterResult = (answer: Answer): { code: number; message: string | null } => {
  answer.int32();
  const [result] = answer.array(() => {
    answer.string();
    return { code: answer.int16(), message: answer.string() };
  });
  if (result === undefined) throw new Error("Kafka answered nothing about the SCRAM user");
  return result;
};
