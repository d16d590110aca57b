import { registryConformance } from "./conformance.ts";
import { createServer } from "./http.ts";
import { createMemoryLog, createRegistry } from "./registry.ts";

const registry = createRegistry(createMemoryLog());
await registry.start();
const server = createServer(registry);

registryConformance("in memory", async (method, url, body) => {
  const headers = { "content-type": "application/vnd.schemaregistry.v1+json" };
  const answer = await server.inject({
    method,
    url,
    headers,
    ...(body ? { payload: JSON.stringify(body) } : {}),
  });
  return {
    status: answer.statusCode,
    contentType: String(answer.headers["content-type"]),
    body: answer.json(),
  };
});
