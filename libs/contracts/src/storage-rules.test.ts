import assert from "node:assert/strict";
import { test } from "node:test";
import { requestOfModel, type StorageWish, storageRequestOf } from "./storage-model.ts";
import { storageOf } from "./storage-rules.ts";

const credentialRef = "drop:0f8b6f3e-5c1d-4c39-9d2e-3b0a5e6f7a81";
const s3: StorageWish = {
  ...{ type: "byos", provider: "aws_s3", bucket: "acme-images", region: "eu-central-1", credentialRef },
};
const modelOf = (wish: StorageWish) => {
  const result = storageOf(storageRequestOf(wish));
  return result.ok ? result.storage : assert.fail(result.rejection.message);
};
const refusalOf = (wish: StorageWish) => {
  const result = storageOf(storageRequestOf(wish));
  return result.ok ? assert.fail(`taken: ${JSON.stringify(wish)}`) : result.rejection;
};

test("a place of the tenant's own is taken for each provider, with the form that every name of it has", () => {
  assert.deepEqual(modelOf(s3), {
    type: "byos",
    location: {
      ...{ provider: "aws_s3", bucket: "acme-images", endpoint: null, region: "eu-central-1", prefix: "" },
      pathStyle: false,
    },
    credentialRef,
  });
  const at = (wish: Partial<StorageWish>) => {
    const model = modelOf({ ...s3, ...wish });
    return model.type === "byos" ? model.location : assert.fail();
  };
  const minio = at({ region: null, endpoint: "http://minio:9000/", pathStyle: true, prefix: "tenants/acme" });
  assert.deepEqual(
    [minio.endpoint, minio.prefix, minio.pathStyle],
    ["http://minio:9000", "tenants/acme/", true],
  );
  const azure = { provider: "azure_blob", region: null, bucket: "images" };
  assert.equal(
    at({ ...azure, endpoint: "https://acme.blob.core.windows.net/" }).endpoint,
    "https://acme.blob.core.windows.net",
  );
  assert.equal(
    at({ ...azure, endpoint: "http://azurite:10000/devstoreaccount1" }).endpoint,
    "http://azurite:10000/devstoreaccount1",
  );
  assert.equal(
    at({ provider: "gcs", region: null, bucket: "acme_images.example" }).bucket,
    "acme_images.example",
  );
});

test("a model and its request are the same, there and back", () => {
  for (const wish of [{ type: "deeplens" }, { type: "none" }, { ...s3, prefix: "a/b/" }])
    assert.deepEqual(modelOf(requestOfModel(modelOf(wish))), modelOf(wish));
});

test("every refusal names the field and the rule", () => {
  for (const [change, code, field] of [
    [{ type: "tape" }, "storage-unknown", "storage"],
    [{ provider: "ftp" }, "storage-provider", "storage.provider"],
    [{ provider: null }, "storage-provider", "storage.provider"],
    [{ bucket: null }, "storage-bucket", "storage.bucket"],
    [{ bucket: "../x" }, "storage-bucket", "storage.bucket"],
    [{ provider: "azure_blob", region: null, bucket: "a--b" }, "storage-bucket", "storage.bucket"],
    [{ provider: "gcs", region: null, bucket: "Acme" }, "storage-bucket", "storage.bucket"],
    [{ region: null }, "storage-region", "storage.region"],
    [{ region: "eu central" }, "storage-region", "storage.region"],
    [{ provider: "gcs" }, "storage-not-s3", "storage.region"],
    [{ provider: "gcs", region: null, pathStyle: true }, "storage-not-s3", "storage.pathStyle"],
    [{ endpoint: "minio:9000" }, "storage-endpoint", "storage.endpoint"],
    [{ endpoint: "https://s3.example/bucket" }, "storage-endpoint", "storage.endpoint"],
    [{ endpoint: "https://key:secret@s3.example" }, "storage-endpoint", "storage.endpoint"],
    [{ prefix: "/a" }, "storage-prefix", "storage.prefix"],
    [{ prefix: "a/../b" }, "storage-prefix", "storage.prefix"],
    [{ prefix: "a b" }, "storage-prefix", "storage.prefix"],
    [{ credentialRef: null }, "storage-credentials", "storage.credentialRef"],
    [{ type: "deeplens" }, "storage-not-byos", "storage.provider"],
    [{ ...storageRequestOf({ type: "none" }), pathStyle: true }, "storage-not-byos", "storage.pathStyle"],
  ] as const) {
    const rejection = refusalOf({ ...s3, ...change });
    assert.equal(rejection.code, code, JSON.stringify(change));
    assert.ok(rejection.message.startsWith(`${field}: `), rejection.message);
  }
});

test("what could be a credential is refused and not repeated", () => {
  for (const change of [
    { credentialRef: "AKIAIOSFODNN7EXAMPLE" },
    {
      endpoint: "https://acme.blob.core.windows.net/?sv=2024&sig=hush-hush",
      provider: "azure_blob",
      region: null,
    },
    { endpoint: "https://hush-hush@s3.example" },
  ]) {
    const { message } = refusalOf({ ...s3, ...change });
    assert.ok(!/hush|AKIA/.test(message), message);
  }
});
