import type { Fleet } from "./fleet.ts";

/** A fleet whose Kafka is well: one worker of each step, and one dead letter. */
export const fakeFleet: Fleet = {
  deadLetters: async () => [{ topic: "deeplens-test.tenants.requests.dlq", count: 1 }],
  workers: async () => [{ step: "database", alive: 1, lag: 3 }],
};
