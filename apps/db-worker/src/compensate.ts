import type { ReceiptLine } from "@deeplens/contracts";
import type { StepContext, StepHandler, UndoCommand } from "@deeplens/worker";
import { databaseBackupSecret, databaseSecret } from "./tenant-databases.ts";
import { kafkaSecret } from "./tenant-kafka.ts";
import { redisBackupSecret, redisSecret } from "./tenant-redis.ts";
import { together } from "./together.ts";

/** Every secret that the step makes. */
export const secretPurposes = [
  databaseSecret,
  databaseBackupSecret,
  redisSecret,
  redisBackupSecret,
  kafkaSecret,
];

/**
 * Takes a tenant's database, its share of Redis and its topic away, and then its passwords: last, so that an undo that
 * dies can be done again with them (PROTOCOL.md 16).
 *
 * @returns what each part removed, or looked for and did not find
 * @throws PermanentStepError where something holds data that the tenant's provisioning did not put there
 */
export const compensate = async (
  parts: readonly StepHandler[],
  command: UndoCommand,
  context: StepContext,
): Promise<readonly ReceiptLine[]> => {
  const receipts = await together(parts.map((part) => () => part.compensate(command, context)));
  for (const purpose of secretPurposes) await context.secrets.remove(purpose);
  return receipts.flat();
};
