/** The environment, read once. What is wrong is named all at once, and the process exits 78. */
import { readFileSync } from "node:fs";
import { z } from "zod";
import { type Client, scopes } from "./token-endpoint.ts";

const clientsFile = z.array(
  z.object({
    clientId: z.string().min(1),
    secret: z.string().min(16),
    scopes: z.array(z.enum(scopes)).default(scopes),
  }),
);
const schema = z
  .object({
    IDENTITY_DB_HOST: z.string().min(1),
    IDENTITY_DB_PORT: z.coerce.number().int().min(1).max(65_535).default(5432),
    IDENTITY_DB_NAME: z.string().min(1).default("deeplens_identity"),
    IDENTITY_DB_USER: z.string().min(1).default("deeplens_identity"),
    IDENTITY_DB_PASSWORD_FILE: z.string().min(1),
    IDENTITY_ISSUER: z.url().default("http://localhost:5198"),
    /** JSON: `[{"clientId", "secret", "scopes"?}]`; who is in it may ask for tokens of its own. */
    IDENTITY_CLIENTS_FILE: z.string().min(1).optional(),
    HOST: z.string().min(1).default("0.0.0.0"),
    PORT: z.coerce.number().int().min(0).max(65_535).default(5198),
    LOG_LEVEL: z.enum(["trace", "debug", "info", "warn", "error", "fatal"]).default("info"),
  })
  .transform((env, context) => {
    const read = <T>(
      name: "IDENTITY_DB_PASSWORD_FILE" | "IDENTITY_CLIENTS_FILE",
      parse: (text: string) => T,
    ) => {
      try {
        return parse(readFileSync(env[name] ?? "", "utf8"));
      } catch (error) {
        context.addIssue({ code: "custom", path: [name], message: (error as Error).message });
        return z.NEVER;
      }
    };
    const withGrant = (text: string): Client[] =>
      clientsFile.parse(JSON.parse(text)).map((client) => ({ ...client, grant: "client_credentials" }));
    const clients = env.IDENTITY_CLIENTS_FILE === undefined ? [] : read("IDENTITY_CLIENTS_FILE", withGrant);
    return { ...env, dbPassword: read("IDENTITY_DB_PASSWORD_FILE", (text) => text.trim()), clients };
  });
export type Config = z.infer<typeof schema>;

/** Parses an environment; throws an Error that names every variable that is missing or wrong. */
export const parseConfig = (environment: Record<string, string | undefined>): Config => {
  const result = schema.safeParse(environment);
  if (result.success) return result.data;
  throw new Error(result.error.issues.map((issue) => `${issue.path.join(".")}: ${issue.message}`).join("\n"));
};
