import { after, before } from "node:test";
import { cloudsSuite } from "./clouds.suite.ts";
import { azurite } from "./testing/azurite.ts";
import type { TestCloud } from "./testing/customer.ts";

let cloud: TestCloud;
before(async () => {
  cloud = await azurite();
});
after(() => cloud.close());

cloudsSuite(() => cloud, "Azure");
