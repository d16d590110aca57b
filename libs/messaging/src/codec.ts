import {
  type Message,
  type RecordName,
  recordOf,
  schemaText,
  subjectOf,
  type Topic,
  topicName,
} from "@deeplens/contracts";
import registryClient from "@kafkajs/confluent-schema-registry";
import avsc from "avsc";

const { COMPATIBILITY, SchemaRegistry } = registryClient;

/** The bytes can never be read: wrong magic byte, unknown schema, not ours, or not what its schema says (PROTOCOL.md 8). */
export class UndecodableMessage extends Error {
  readonly reason: "magic-byte" | "unknown-schema" | "unknown-record" | "avro" | "empty";
  constructor(reason: UndecodableMessage["reason"], message: string, options?: { cause: unknown }) {
    super(message, options);
    this.name = "UndecodableMessage";
    this.reason = reason;
  }
}

export interface Codec {
  /** Registers the schemas of these topics' records (FULL_TRANSITIVE) and learns their ids; repeating is fine. */
  prepare(topics: readonly Topic[]): Promise<void>;
  /** Avro in Confluent's wire format. Throws where the value does not fit its schema, or the topic was not prepared. */
  encode<M extends Message>(topic: Topic, message: M): Buffer;
  /**
   * The message in these bytes, as our own version of its schema reads it.
   * @throws UndecodableMessage for bytes that no retry can read; anything else means: try again later
   */
  decode(bytes: Buffer | null): Promise<Message>;
}

const magicByte = 0;
const headBytes = 5;
const schemaNotFound = 40403;

export const createCodec = (installation: string, registryUrl: string): Codec => {
  const registry = new SchemaRegistry({ host: registryUrl, retry: { retries: 2, maxRetryTimeInSecs: 2 } });
  const ids = new Map<string, number>();
  const own = new Map<RecordName, avsc.Type>();
  const readers = new Map<number, { record: RecordName; read: (payload: Buffer) => unknown }>();

  const ownType = (record: RecordName): avsc.Type => {
    let type = own.get(record);
    if (type === undefined) {
      type = avsc.Type.forSchema(JSON.parse(schemaText(record)));
      own.set(record, type);
    }
    return type;
  };

  const register = async (topic: Topic, record: RecordName): Promise<void> => {
    const subject = subjectOf(topicName(installation, topic), record);
    if (ids.has(subject)) return;
    const schema = JSON.parse(schemaText(record));
    const { id } = await registry.register(schema, { subject, compatibility: COMPATIBILITY.FULL_TRANSITIVE });
    ids.set(subject, id);
  };

  const readerOf = async (id: number) => {
    const known = readers.get(id);
    if (known !== undefined) return known;
    const writer = await writerOf(id);
    const record = recordOf(writer.name ?? "");
    if (record === undefined)
      throw new UndecodableMessage(
        "unknown-record",
        `schema ${id} is ${writer.name}, which is no record of ours`,
      );
    const type = ownType(record);
    const resolver = type.fingerprint().equals(writer.fingerprint())
      ? undefined
      : resolverOf(type, writer, id);
    const reader = { record, read: (payload: Buffer): unknown => type.fromBuffer(payload, resolver) };
    readers.set(id, reader);
    return reader;
  };

  // Not by the client: it hides the registry's own error code, says 400 where there was no answer at all, and the same
  // for a schema that was fetched and that avsc can't parse.
  const writerOf = async (id: number): Promise<avsc.Type> => {
    const response = await fetch(`${registryUrl}/schemas/ids/${id}`, { signal: AbortSignal.timeout(5_000) });
    const body = (await response.json()) as { schema?: string; error_code?: number };
    if (body.error_code === schemaNotFound)
      throw new UndecodableMessage("unknown-schema", `the registry has no schema ${id}`);
    if (!response.ok || typeof body.schema !== "string")
      throw new Error(`the registry gave no schema ${id}: status ${response.status}`);
    try {
      return avsc.Type.forSchema(JSON.parse(body.schema));
    } catch (error) {
      throw new UndecodableMessage("avro", `schema ${id} can't be parsed: ${(error as Error).message}`, {
        cause: error,
      });
    }
  };

  return {
    async prepare(topics) {
      for (const topic of topics)
        if (topic.records !== "as they were")
          for (const record of topic.records) await register(topic, record);
    },
    encode(topic, message) {
      const id = ids.get(subjectOf(topicName(installation, topic), message.record));
      if (id === undefined)
        throw new Error(`no schema id for ${message.record} on ${topic.suffix}: prepare it first`);
      const payload = ownType(message.record).toBuffer(message.value);
      const bytes = Buffer.allocUnsafe(headBytes + payload.length);
      bytes.writeUInt8(magicByte, 0);
      bytes.writeInt32BE(id, 1);
      payload.copy(bytes, headBytes);
      return bytes;
    },
    async decode(bytes) {
      if (bytes === null || bytes.length === 0)
        throw new UndecodableMessage("empty", "the record has no value");
      if (bytes.length < headBytes || bytes[0] !== magicByte)
        throw new UndecodableMessage(
          "magic-byte",
          `the record does not begin with Confluent's magic byte 0 and a schema id`,
        );
      const id = bytes.readInt32BE(1);
      // A registry need not take such a number for an id at all, and then says nothing that could be told from an outage.
      if (id < 1) throw new UndecodableMessage("unknown-schema", `no registry gives the schema id ${id}`);
      const { record, read } = await readerOf(id);
      try {
        return { record, value: read(bytes.subarray(headBytes)) } as Message;
      } catch (error) {
        throw new UndecodableMessage("avro", `the record is no ${record}: ${(error as Error).message}`, {
          cause: error,
        });
      }
    },
  };
};

const resolverOf = (
  reader: avsc.Type,
  writer: avsc.Type,
  id: number,
): ReturnType<avsc.Type["createResolver"]> => {
  try {
    return reader.createResolver(writer);
  } catch (error) {
    throw new UndecodableMessage("avro", `schema ${id} does not resolve: ${(error as Error).message}`, {
      cause: error,
    });
  }
};
