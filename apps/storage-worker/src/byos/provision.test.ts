import assert from "node:assert/strict";
import { test } from "node:test";
import { type ByosLocation, type Slug, type StorageModel, tenantIdOf } from "@deeplens/contracts";
import { PermanentStepError, type ProvisionCommand } from "@deeplens/worker";
import { memorySecrets, testContext } from "@deeplens/worker/testing";
import { provisionByos } from "./provision.ts";

const tenant = { tenantId: tenantIdOf("tests", "acme"), slug: "acme" as Slug, name: "Acme" };
const command: ProvisionCommand = {
  tenant,
  tier: "free",
  storage: { type: "none" },
  administrator: { email: "a@b.test", firstName: "A", lastName: "B" },
  inputs: {},
};
const location: ByosLocation = {
  provider: "aws_s3",
  bucket: "acme",
  endpoint: "http://127.0.0.1:1",
  region: null,
  prefix: "",
  pathStyle: true,
};
type Byos = Extract<StorageModel, { type: "byos" }>;

const dropped = async (kind = "aws_s3") => {
  const secrets = memorySecrets();
  const value = JSON.stringify({ provider: kind, accessKeyId: "AKIA", secretAccessKey: "hush-hush" });
  const { reference } = await secrets.dropOffs.put({ kind, value, by: "ada", lifeMs: 60_000 });
  return { secrets, reference };
};
const refused = async (
  storage: Omit<Byos, "type">,
  secrets = memorySecrets(),
  plainHttp: "allow" | "refuse" = "allow",
) => {
  const context = testContext({ step: "storage", tenant, secrets });
  const error = await provisionByos(command, { type: "byos", ...storage }, context, { plainHttp }).then(
    () => assert.fail("it went through"),
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof PermanentStepError, String(error));
  assert.deepEqual(context.calls, [], "nothing was asked of any cloud");
  assert.match(error.message, /acme/);
  return error.code;
};

test("credentials that the tenant can't have are refused before its cloud is asked", async () => {
  const { secrets, reference: credentialRef } = await dropped();
  const unknown = "drop:0f8b6f3e-5c1d-4c39-9d2e-3b0a5e6f7a81";
  assert.equal(await refused({ location, credentialRef: unknown }), "credentials-unknown");
  await secrets.of(tenantIdOf("tests", "other")).adopt(credentialRef, "storage.byos");
  assert.equal(await refused({ location, credentialRef }, secrets), "credentials-of-other-tenant");
  const mine = await dropped();
  await mine.secrets.of(tenant.tenantId).adopt(mine.reference, "storage.byos");
  await mine.secrets.of(tenant.tenantId).remove("storage.byos");
  assert.equal(await refused({ location, credentialRef: mine.reference }, mine.secrets), "credentials-spent");
  const google = await dropped("gcs");
  assert.equal(
    await refused({ location, credentialRef: google.reference }, google.secrets),
    "credentials-of-other-kind",
  );
});

test("a place without TLS is refused unless the installation allows it", async () => {
  const { secrets, reference: credentialRef } = await dropped();
  assert.equal(await refused({ location, credentialRef }, secrets, "refuse"), "byos-not-encrypted");
});
