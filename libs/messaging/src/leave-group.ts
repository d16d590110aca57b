import type { KafkaAddress } from "./connect.ts";
import { check, classicString, int8, withConnection } from "./wire.ts";

const findCoordinator = { key: 10, version: 1 };
const leaveGroupRequest = { key: 13, version: 1 };
const group = 0;
const unknownMember = 25;

export interface GroupMember {
  readonly groupId: string;
  readonly memberId: string;
}

/**
 * Takes a member out of its consumer group, so that the group need not wait for the end of its session. kafkajs asks
 * for that only while it is connected. One that the group does not know (any more) has left.
 */
export const leaveGroup = async (
  address: KafkaAddress,
  { groupId, memberId }: GroupMember,
  signal: AbortSignal,
): Promise<void> => {
  const coordinator = await withConnection(address, signal, async (send) => {
    const answer = await send(findCoordinator, Buffer.concat([classicString(groupId), int8(group)]));
    answer.int32();
    check(`find the coordinator of ${groupId}`, answer.int16(), answer.classicString());
    answer.int32();
    return `${answer.classicString()}:${answer.int32()}`;
  });
  await withConnection({ ...address, brokers: [coordinator] }, signal, async (send) => {
    const body = Buffer.concat([classicString(groupId), classicString(memberId)]);
    const answer = await send(leaveGroupRequest, body);
    answer.int32();
    const code = answer.int16();
    if (code !== unknownMember) check(`leave ${groupId}`, code, null);
  });
};

/** Resolves when a broker lets us in. */
export const askKafka = (address: KafkaAddress, signal: AbortSignal): Promise<void> =>
  withConnection(address, signal, async () => undefined);
