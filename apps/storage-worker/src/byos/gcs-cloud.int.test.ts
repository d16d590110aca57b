import { after, before } from "node:test";
import { cloudsSuite } from "./clouds.suite.ts";
import type { TestCloud } from "./testing/customer.ts";
import { gcsBehindFront } from "./testing/gcs-front.ts";

let cloud: TestCloud;
before(async () => {
  cloud = await gcsBehindFront();
});
after(() => cloud.close());

cloudsSuite(() => cloud, "GCS");
