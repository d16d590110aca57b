import { connect as openSocket } from "node:net";
import type { Logger } from "@deeplens/telemetry";
import kafkajs from "kafkajs";
import { installRecordFormat } from "./record-format.ts";
import { quietenRequestQueues } from "./request-queue.ts";
import { shardAssigner } from "./shard-assigner.ts";

export type {
  Admin,
  Batch,
  Consumer,
  EachBatchPayload,
  EachMessagePayload,
  IHeaders,
  KafkaMessage,
  Message as KafkaRecord,
  Producer,
  TopicMessages,
} from "kafkajs";

export interface KafkaAddress {
  readonly brokers: readonly string[];
  /** SCRAM-SHA-512. */
  readonly username: string;
  readonly password: string;
}

/** A cluster's client, which knows the address that it was made with. */
export interface Kafka extends kafkajs.Kafka {
  readonly address: KafkaAddress;
}

/** A consumer that can be run through outages (runConsumer). */
export interface GroupConsumer extends kafkajs.Consumer {
  readonly address: KafkaAddress;
}

/**
 * The client of a cluster; connects nothing yet. Sockets go without Nagle's delay. A retry of the client's own gives
 * up after about `retries` tries: callers that wait for a broker use `waitFor`.
 */
export const connectKafka = (
  address: KafkaAddress,
  options: { clientId: string; log: Logger; requestMs?: number; retries?: number },
): Kafka => {
  quietenRequestQueues();
  installRecordFormat();
  const kafka = new kafkajs.Kafka({
    clientId: options.clientId,
    brokers: [...address.brokers],
    sasl: { mechanism: "scram-sha-512", username: address.username, password: address.password },
    connectionTimeout: 5_000,
    authenticationTimeout: 10_000,
    requestTimeout: options.requestMs ?? 30_000,
    retry: { retries: options.retries ?? 5, initialRetryTime: 100, maxRetryTime: 2_000 },
    socketFactory: ({ host, port, onConnect }) => {
      const socket = openSocket({ host, port, noDelay: true, keepAlive: true }, onConnect);
      return socket;
    },
    logLevel: kafkajs.logLevel.WARN,
    logCreator: () => (entry) => {
      if (deliberate.test(entry.log.message)) return;
      const { message, timestamp: _timestamp, logger: _logger, ...rest } = entry.log;
      const fields = { kafka: entry.namespace, ...rest };
      if (entry.level === kafkajs.logLevel.ERROR) options.log.error(fields, message);
      else options.log.warn(fields, message);
    },
  });
  return Object.assign(kafka, { address });
};

/** True for the broker's own error of that type: `MESSAGE_TOO_LARGE`, say. */
export const isKafkaError = (error: unknown, type: string): boolean =>
  error instanceof kafkajs.KafkaJSProtocolError && error.type === type;

/** An idempotent producer, not yet connected: what is acknowledged was stored once. */
export const createProducer = (kafka: kafkajs.Kafka): kafkajs.Producer =>
  kafka.producer({
    idempotent: true,
    maxInFlightRequests: 1,
    allowAutoTopicCreation: false,
    createPartitioner: kafkajs.Partitioners.DefaultPartitioner,
  });

/**
 * A producer, not yet connected, whose send is one try: for who has to look at something before every try, and so tries
 * again by itself. (Idempotence would add nothing, and kafkajs allows it only with tries of its own.)
 */
export const createSingleTryProducer = (kafka: kafkajs.Kafka): kafkajs.Producer =>
  kafka.producer({
    maxInFlightRequests: 1,
    retry: { retries: 0 },
    allowAutoTopicCreation: false,
    createPartitioner: kafkajs.Partitioners.DefaultPartitioner,
  });

// A producer whose tries are used up is replaced, and sending starts again at the first record not acknowledged.
const deliberate = /^Limiting retries for the idempotent producer/;

/**
 * A consumer, not yet connected. `sharded` gives partition n of every topic to one member. A record that comes
 * is given at once; but a resume, and a seek, may wait for the fetch that is under way without it: a second at most.
 */
export const createConsumer = (
  kafka: Kafka,
  options: { groupId: string; sharded?: boolean; sessionMs?: number; mostBytesOfPartition?: number },
): GroupConsumer => {
  const consumer = kafka.consumer({
    groupId: options.groupId,
    sessionTimeout: options.sessionMs ?? 30_000,
    heartbeatInterval: Math.min(3_000, (options.sessionMs ?? 30_000) / 3),
    // An outage that outlives the client's own tries: begin again, rather than die unheard.
    retry: { retries: 5, restartOnFailure: async () => true },
    maxWaitTimeInMs: 1_000,
    allowAutoTopicCreation: false,
    ...(options.mostBytesOfPartition === undefined
      ? {}
      : { maxBytesPerPartition: options.mostBytesOfPartition }),
    ...(options.sharded === true ? { partitionAssigners: [shardAssigner] } : {}),
  });
  return Object.assign(consumer, { address: kafka.address });
};
