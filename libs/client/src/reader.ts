import {
  type Admin,
  type Codec,
  type Kafka,
  type KafkaMessage,
  UndecodableMessage,
} from "@deeplens/messaging";
import type { Logger } from "@deeplens/telemetry";

/** What reading the product's topics takes. */
export interface Reader {
  readonly kafka: Kafka;
  readonly codec: Codec;
  readonly admin: Admin;
  readonly log: Logger;
  readonly installation: string;
  /** Whole names of the topics. */
  readonly lifecycle: string;
  readonly state: string;
}

/**
 * The message in a record, or undefined for one that this version can't read: of a newer product, say. Throws where
 * reading may succeed later.
 */
export const messageIn = async (
  { codec, log }: Pick<Reader, "codec" | "log">,
  record: KafkaMessage,
): Promise<Awaited<ReturnType<Codec["decode"]>> | undefined> => {
  try {
    return await codec.decode(record.value);
  } catch (error) {
    if (!(error instanceof UndecodableMessage)) throw error;
    log.warn({ offset: record.offset, reason: error.message }, "a record was passed over");
    return undefined;
  }
};
