import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { test } from "node:test";
import type { Slug, TenantId } from "@deeplens/contracts";
import { memorySecrets } from "@deeplens/secrets/testing";
import { createLogger } from "@deeplens/telemetry";
import { publicText } from "../failures.ts";
import { memoryLedger } from "../testing/memory-ledger.ts";
import { readOnlyContext } from "./read-only.ts";

// A cloud's error may show one field of a tenant's own credentials; once only their whole text was cut out.
test("no part of a tenant's own credentials stands in what a probe says", async () => {
  const tenantId = randomUUID() as TenantId;
  const seen = new Set<string>();
  const secrets = memorySecrets().of(tenantId);
  const stored = { provider: "azure_blob", accountName: "acme", accountKey: "hush-hush" };
  await secrets.ensure("storage.credentials", () => JSON.stringify(stored));
  const context = readOnlyContext({
    ...{ installation: "test", step: "storage", seen, secrets },
    tenant: { tenantId, slug: "acme" as Slug, name: "Acme" },
    ledger: memoryLedger(),
    log: createLogger("test", "silent"),
    signal: new AbortController().signal,
    deadline: new Date(Date.now() + 60_000),
  });
  await context.secrets.read("storage.credentials");
  assert.equal(
    publicText("account acme: key hush-hush is refused", seen),
    "account acme: key [secret] is refused",
  );
});
