import type { Life, Operation } from "@deeplens/worker";
import { secretPurposes } from "./compensate.ts";
import { together } from "./together.ts";

/**
 * The lives of a tenant's database, Redis and Kafka as one. A purge takes their passwords last, so that one that dies
 * can be done again with them (PROTOCOL.md 16).
 */
export const lifeTogether = (lives: readonly Life[]): Life => {
  const all =
    (act: keyof Life): Operation =>
    async (command, context) => {
      const done = await together(lives.map((life) => () => life[act](command, context)));
      return {
        outputs: Object.assign({}, ...done.map(({ outputs }) => outputs)),
        resources: done.flatMap(({ resources }) => resources),
        receipt: done.flatMap(({ receipt }) => receipt),
      };
    };
  return {
    suspend: all("suspend"),
    resume: all("resume"),
    purge: async (command, context) => {
      const done = await all("purge")(command, context);
      for (const purpose of secretPurposes) await context.secrets.remove(purpose);
      return done;
    },
  };
};
