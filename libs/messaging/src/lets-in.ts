import type { KafkaAddress } from "./connect.ts";
import { KafkaAnswerError, withConnection } from "./wire.ts";

const wrongCredentials = 58;

/**
 * True where a broker takes this user with this password, false where it refuses them. kafkajs does not always tell: it
 * may wait for an answer that a broker holds back on purpose.
 *
 * @throws where no broker answers
 */
export const letsIn = async (address: KafkaAddress, signal: AbortSignal): Promise<boolean> => {
  try {
    return await withConnection(address, signal, async () => true);
  } catch (error) {
    if (error instanceof KafkaAnswerError && error.code === wrongCredentials) return false;
    throw error;
  }
};
