export * from "./admin.ts";
export * from "./codec.ts";
export * from "./connect.ts";
export * from "./dead-letters.ts";
export * from "./headers.ts";
export * from "./run-consumer.ts";
export * from "./scram-users.ts";
export * from "./shard-assigner.ts";
export { KafkaAnswerError } from "./wire.ts";
