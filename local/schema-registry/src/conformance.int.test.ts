/** The suite against the installation's registry: the stand-in on real Kafka, or Confluent's own where it can be pulled. */
import { stack } from "@deeplens/testing";
import { registryConformance } from "./conformance.ts";

registryConformance("on Kafka", async (method, path, body) => {
  const headers = { "content-type": "application/vnd.schemaregistry.v1+json" };
  const url = stack().schemaRegistry.url + path;
  const answer = await fetch(url, { method, headers, ...(body ? { body: JSON.stringify(body) } : {}) });
  return {
    status: answer.status,
    contentType: String(answer.headers.get("content-type")),
    body: await answer.json(),
  };
});
