/** Wires the stand-in: waits for Kafka, reads `_schemas` to its end, and only then listens. */
import { setTimeout as sleep } from "node:timers/promises";
import kafkajs from "kafkajs";
import { type Config, parseConfig } from "./config.ts";
import { createServer } from "./http.ts";
import { createKafkaLog } from "./kafka-log.ts";
import { createRegistry } from "./registry.ts";

const config = ((): Config => {
  try {
    return parseConfig(process.env);
  } catch (error) {
    console.error((error as Error).message);
    process.exit(78);
  }
})();
const kafka = new kafkajs.Kafka({
  clientId: "schema-registry",
  brokers: config.KAFKA_BROKERS.split(","),
  sasl: { mechanism: "scram-sha-512", username: config.KAFKA_USERNAME, password: config.kafkaPassword },
  retry: { maxRetryTime: 2_000 },
  logLevel: kafkajs.logLevel.ERROR,
  logCreator: () => (entry) => server.log.warn({ kafka: entry.log.error ?? "" }, entry.log.message),
});
const kafkaLog = createKafkaLog({ kafka, topic: config.SCHEMAS_TOPIC, waitMs: 10_000 });
const registry = createRegistry(kafkaLog);
const server = createServer(registry, config.LOG_LEVEL);
server.log.info(
  "STAND-IN for Confluent's Schema Registry: a small server with a subset of its REST API, for local use",
);

const stopping = new AbortController();
const stop = async (): Promise<void> => {
  stopping.abort();
  await server.close();
  await kafkaLog.close();
  process.exit(0);
};
process.once("SIGTERM", () => void stop());
process.once("SIGINT", () => void stop());

const startWhenKafkaAnswers = async (): Promise<void> => {
  try {
    await registry.start();
  } catch (error) {
    if (stopping.signal.aborted) return;
    server.log.warn({ error: (error as Error).message }, "waiting for Kafka");
    await sleep(2_000);
    await startWhenKafkaAnswers();
  }
};
// Like Confluent's, it listens only when it has read everything: an answer is never one of an empty registry.
await startWhenKafkaAnswers();
if (!stopping.signal.aborted) await server.listen({ host: config.HOST, port: config.PORT });
