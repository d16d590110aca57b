/** The environment, read once. What is wrong is named all at once, and the process exits 78. */
import { readFileSync } from "node:fs";
import { z } from "zod";

const schema = z
  .object({
    KAFKA_BROKERS: z.string().min(1),
    KAFKA_USERNAME: z.string().min(1),
    KAFKA_PASSWORD_FILE: z.string().min(1),
    SCHEMAS_TOPIC: z.string().min(1).default("_schemas"),
    HOST: z.string().min(1).default("0.0.0.0"),
    PORT: z.coerce.number().int().min(0).max(65_535).default(8081),
    LOG_LEVEL: z.enum(["trace", "debug", "info", "warn", "error", "fatal"]).default("info"),
  })
  .transform((env, context) => {
    try {
      return { ...env, kafkaPassword: readFileSync(env.KAFKA_PASSWORD_FILE, "utf8").trim() };
    } catch (error) {
      context.addIssue({ code: "custom", path: ["KAFKA_PASSWORD_FILE"], message: (error as Error).message });
      return z.NEVER;
    }
  });
export type Config = z.infer<typeof schema>;

/** Parses an environment; throws an Error that names every variable that is missing or wrong. */
export const parseConfig = (environment: Record<string, string | undefined>): Config => {
  const result = schema.safeParse(environment);
  if (result.success) return result.data;
  throw new Error(result.error.issues.map((issue) => `${issue.path.join(".")}: ${issue.message}`).join("\n"));
};
