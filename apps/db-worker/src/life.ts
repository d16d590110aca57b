import type { Life, Rotation } from "@deeplens/worker";
import { secretPurposes } from "./compensate.ts";
import { operationTogether } from "./together.ts";

/**
 * The lives of a tenant's database, Redis and Kafka as one. A purge takes their passwords last, so that one that dies
 * can be done again with them (PROTOCOL.md 16).
 */
export const lifeTogether = (lives: readonly Life[]): Life => {
  const purge = operationTogether(lives.map((life) => life.purge));
  return {
    suspend: operationTogether(lives.map(({ suspend }) => suspend)),
    resume: operationTogether(lives.map(({ resume }) => resume)),
    purge: async (command, context) => {
      const done = await purge(command, context);
      for (const purpose of secretPurposes) await context.secrets.remove(purpose);
      return done;
    },
  };
};

/** Their rotations as one. */
export const rotationTogether = (rotations: readonly Rotation[]): Rotation => ({
  begin: operationTogether(rotations.map(({ begin }) => begin)),
  end: operationTogether(rotations.map(({ end }) => end)),
  undo: operationTogether(rotations.map(({ undo }) => undo)),
});
