import assert from "node:assert/strict";
import { test } from "node:test";
import { byosCredentialsOf, secretPartsOf } from "./byos-credentials.ts";

const pem = "-----BEGIN PRIVATE KEY-----\nhush\n-----END PRIVATE KEY-----\n";
const google = { type: "service_account", client_email: "a@acme.iam.gserviceaccount.com", private_key: pem };
const credentialsOf = (given: unknown) => {
  const result = byosCredentialsOf(given);
  return result.ok ? result.credentials : assert.fail(result.rejection.message);
};

test("credentials are taken in the forms in which vendors give them, and told apart by their fields", () => {
  const key = { accessKeyId: "AKIAIOSFODNN7EXAMPLE", secretAccessKey: "hush-hush" };
  const s3 = { provider: "aws_s3", ...key };
  assert.deepEqual(credentialsOf(key), s3);
  // What `aws iam create-access-key` and `aws sts get-session-token` print.
  const printed = { AccessKeyId: key.accessKeyId, SecretAccessKey: key.secretAccessKey };
  assert.deepEqual(credentialsOf({ AccessKey: { UserName: "acme", Status: "Active", ...printed } }), s3);
  assert.deepEqual(credentialsOf({ Credentials: { ...printed, SessionToken: "t" } }), {
    ...s3,
    sessionToken: "t",
  });

  const accountKey = Buffer.alloc(64, 7).toString("base64");
  const azure = { provider: "azure_blob", accountName: "acme", accountKey };
  assert.deepEqual(credentialsOf({ accountName: "acme", accountKey }), azure);
  const connectionString = `DefaultEndpointsProtocol=https;AccountName=acme;AccountKey=${accountKey};EndpointSuffix=core.windows.net`;
  assert.deepEqual(credentialsOf({ connectionString }), azure);
  assert.deepEqual(credentialsOf({ accountName: "acme", sasToken: "?sv=2024-11-04&sig=hush" }), {
    ...{ provider: "azure_blob", accountName: "acme", sasToken: "sv=2024-11-04&sig=hush" },
  });
  assert.deepEqual(credentialsOf({ ...google, project_id: "acme", token_uri: "https://evil.example" }), {
    ...{ provider: "gcs", clientEmail: google.client_email, privateKey: pem.trim() },
  });
});

test("what is no credential is refused by its fields, and what is in them is not repeated", () => {
  for (const given of [
    ...[null, "hush", [], {}, { password: "hush" }],
    ...[{ accessKeyId: "hush" }, { accessKeyId: "hush", secretAccessKey: "" }],
    { accessKeyId: "hush", secretAccessKey: "hush\nhush-hush" },
    ...[
      { accountName: "hush" },
      { accountName: "hush", accountKey: "hush!" },
      { accountName: "Hush", accountKey: "x" },
    ],
    ...[{ accountName: "hush", sasToken: "hush" }, { connectionString: "AccountKey=hush" }],
    ...[
      { ...google, type: "external_account" },
      { ...google, private_key: "hush" },
      { client_email: "hush" },
    ],
  ]) {
    const result = byosCredentialsOf(given);
    const { message } = result.ok ? assert.fail(`taken: ${JSON.stringify(given)}`) : result.rejection;
    assert.match(message, /^credentials: /);
    assert.ok(!/hush/i.test(message), message);
  }
});

test("what must not be shown of stored credentials is named, and nothing of other secrets", () => {
  const stored = JSON.stringify(
    credentialsOf({ accessKeyId: "AKIA", secretAccessKey: "hush-hush", sessionToken: "t" }),
  );
  assert.deepEqual(secretPartsOf(stored), ["hush-hush", "t"]);
  assert.deepEqual(secretPartsOf("dGhlIGtleQ"), []);
});
