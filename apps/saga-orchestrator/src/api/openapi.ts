import type { FastifyDynamicSwaggerOptions } from "@fastify/swagger";
import { jsonSchemasOf } from "./zod-types.ts";

/** How /openapi.json is made: from the schemas that validate. */
export const description = (installation: string): FastifyDynamicSwaggerOptions => ({
  openapi: {
    openapi: "3.1.0",
    info: {
      title: "DeepLens Tenants",
      version: "1",
      description: `Requests tenants and follows their sagas, in the installation \`${installation}\`. Every error is RFC 9457 problem details with \`code\` for programs and \`next\` for people.`,
    },
    components: { securitySchemes: { token: { type: "http", scheme: "bearer" } } },
    security: [{ token: [] }],
  },
  transform: ({ schema, url }) => ({ schema: jsonSchemasOf(schema), url }),
});
