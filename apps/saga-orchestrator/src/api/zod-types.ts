import type {
  FastifyBaseLogger,
  FastifyInstance,
  FastifyTypeProvider,
  RawReplyDefaultExpression,
  RawRequestDefaultExpression,
  RawServerDefault,
} from "fastify";
import { z } from "zod";
import { Problem } from "./problem.ts";

/** Lets a route's zod schemas type its request and its answers. */
export interface ZodTypes extends FastifyTypeProvider {
  validator: this["schema"] extends z.ZodType ? z.output<this["schema"]> : unknown;
  serializer: this["schema"] extends z.ZodType ? z.input<this["schema"]> : unknown;
}

/** The server as routes see it. */
export type Api = FastifyInstance<
  RawServerDefault,
  RawRequestDefaultExpression,
  RawReplyDefaultExpression,
  FastifyBaseLogger,
  ZodTypes
>;

/** Makes zod the validator of bodies, parameters, queries and headers; answers go out as they are. */
export const validateWithZod = (app: FastifyInstance): void => {
  app.setValidatorCompiler<z.ZodType>(({ schema, httpPart }) => (data) => {
    const parsed = schema.safeParse(data);
    return parsed.success
      ? { value: parsed.data }
      : { error: malformed(httpPart ?? "request", parsed.error) };
  });
  app.setSerializerCompiler(() => (data) => JSON.stringify(data));
};

const malformed = (part: string, error: z.ZodError): Problem => {
  const errors = error.issues.map((issue) => ({
    field: issue.path.length === 0 ? part : issue.path.join("."),
    message: issue.message,
  }));
  return new Problem(
    400,
    "request-malformed",
    errors.map(({ field, message }) => `${field}: ${message}`).join("; "),
    "correct the fields named here and send the request again; /openapi.json describes each",
    errors.length === 1 && errors[0] !== undefined ? { field: errors[0].field, errors } : { errors },
  );
};

/** The zod schemas of a route as JSON schemas: what /openapi.json shows is what validates. */
export const jsonSchemasOf = (schema: unknown): Record<string, unknown> =>
  Object.fromEntries(
    Object.entries((schema ?? {}) as Record<string, unknown>).map(([part, value]) => [
      part,
      part === "response"
        ? mapValues(value as object, (one) => toJson(one, "output"))
        : toJson(value, "input"),
    ]),
  );

const mapValues = (value: object, change: (one: unknown) => unknown): Record<string, unknown> =>
  Object.fromEntries(Object.entries(value).map(([key, one]) => [key, change(one)]));

const toJson = (value: unknown, io: "input" | "output"): unknown => {
  if (!(value instanceof z.ZodType)) return value;
  const { $schema: _dialect, ...schema } = z.toJSONSchema(value, { io });
  return schema;
};
