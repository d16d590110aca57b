// The HTTP API alone, without what Kafka needs: a command line starts in half the time.
export * from "./api-client.ts";
export * from "./api-errors.ts";
export type * from "./api-types.ts";
export { type FollowOptions, followSaga } from "./follow-saga.ts";
