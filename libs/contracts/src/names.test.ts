import assert from "node:assert/strict";
import { test } from "node:test";
import { accessKey } from "./access-key.ts";
import {
  applicationRoleName,
  bucketName,
  bucketPolicyName,
  containerName,
  databaseName,
  kafkaPrefix,
  kafkaUserName,
  networkName,
  ownerRoleName,
  redisKeyPrefix,
  redisUserName,
  tenantLabels,
  tenantTopicName,
  volumeName,
} from "./names.ts";
import { slugFrom } from "./slug.ts";
import { type TenantId, tenantIdOf } from "./tenant-id.ts";

const acme = slugFrom("acme-corp");
const longest = slugFrom(`a${"b".repeat(38)}c`);
const longestInstallation = "a".repeat(15);

test("every name of a tenant, as the design's table has it", () => {
  assert.deepEqual(
    {
      database: databaseName(acme),
      owner: ownerRoleName(acme),
      application: applicationRoleName(acme),
      redisUser: redisUserName(acme),
      redisKeys: redisKeyPrefix(acme),
      kafkaUser: kafkaUserName(acme),
      kafkaPrefix: kafkaPrefix("deeplens", acme),
      topic: tenantTopicName("deeplens", acme),
      bucket: bucketName("deeplens", acme),
      policy: bucketPolicyName("deeplens", acme),
      network: networkName("deeplens"),
      qdrant: containerName("deeplens", "qdrant", acme),
      qdrantVolume: volumeName("deeplens", "qdrant", acme),
      backup: containerName("deeplens", "backup", acme),
      backupVolume: volumeName("deeplens", "backup", acme),
    },
    {
      database: "tenant_acme_corp_metadata",
      owner: "tenant_acme_corp_owner",
      application: "tenant_acme_corp_app",
      redisUser: "tenant-acme-corp",
      redisKeys: "tenant:acme-corp:",
      kafkaUser: "tenant-acme-corp",
      kafkaPrefix: "deeplens.tenant.acme-corp.",
      topic: "deeplens.tenant.acme-corp.events",
      bucket: "deeplens-acme-corp",
      policy: "deeplens-acme-corp",
      network: "deeplens-network",
      qdrant: "deeplens-qdrant-acme-corp",
      qdrantVolume: "deeplens_qdrant_acme-corp_data",
      backup: "deeplens-backup-acme-corp",
      backupVolume: "deeplens_backup_acme-corp_data",
    },
  );
});

test("the longest slug stays within what each service takes", () => {
  for (const name of [databaseName(longest), ownerRoleName(longest), applicationRoleName(longest)])
    assert.ok(Buffer.byteLength(name) <= 63, `Postgres cuts ${name} off`);
  for (const name of [
    bucketName(longestInstallation, longest),
    containerName(longestInstallation, "qdrant", longest),
    containerName(longestInstallation, "backup", longest),
  ])
    assert.ok(name.length <= 63, `${name} is no bucket, or no host name`);
  assert.ok(tenantTopicName(longestInstallation, longest).length <= 249);
});

test("two slugs never share a name, in Postgres neither, where - becomes _", () => {
  const slugs = [
    "acme",
    "acme-x",
    "ac-me",
    "a-cme",
    "acme-x-y",
    "acmex",
    "acme--x",
    "acme-app",
    "acme-owner",
    "acme2",
    "acme-app2",
  ].map(slugFrom);
  for (const nameOf of [databaseName, ownerRoleName, applicationRoleName, redisUserName, redisKeyPrefix])
    assert.equal(new Set(slugs.map((slug) => nameOf(slug))).size, slugs.length, nameOf.name);
  const roles = slugs.flatMap((slug) => [
    ownerRoleName(slug),
    applicationRoleName(slug),
    applicationRoleName(slug, 2),
  ]);
  assert.equal(new Set(roles).size, roles.length, "an owner's role is nobody's application role");
  const users = slugs.flatMap((slug) => [kafkaUserName(slug), kafkaUserName(slug, 2)]);
  assert.equal(new Set(users).size, users.length, "a second user is nobody's first one");
});

test("what is granted by prefix ends with a delimiter: acme reaches nothing of acme-x", () => {
  const [short, long] = [slugFrom("acme"), slugFrom("acme-x")];
  assert.ok(!tenantTopicName("deeplens", long).startsWith(kafkaPrefix("deeplens", short)));
  assert.ok(!`${redisKeyPrefix(long)}key`.startsWith(redisKeyPrefix(short)));
  assert.ok(tenantTopicName("deeplens", short).startsWith(kafkaPrefix("deeplens", short)));
});

test("a tenant's id is UUIDv5 of source and request id: the same for ever, and another for another request", () => {
  // Computed by Python's uuid.uuid5 over the JSON text of both.
  assert.equal(tenantIdOf("/shop", "order-1"), "9a06f238-508e-5247-b361-6f964908fbb6");
  assert.equal(tenantIdOf("/shop", "order-2"), "553565ff-5563-5091-b741-fde6fe7c0c6b");
  // The border between the two is part of what is hashed.
  assert.notEqual(tenantIdOf("/shop", "order-1"), tenantIdOf("/shoporder", "-1"));
  assert.notEqual(tenantIdOf('/shop","x', "y"), tenantIdOf("/shop", 'x","y'));
});

test("access keys are 20 characters of base32 of SHA-256 over id and purpose", () => {
  // Computed by Python's hashlib and base64.
  const id = "9a06f238-508e-5247-b361-6f964908fbb6" as TenantId;
  assert.equal(accessKey(id, "user"), "RMCI7I66X3R4UPRIC3Z6");
  assert.equal(accessKey(id, "service-account"), "LYQ272RXXR5NZ2STWXSW");
});

test("labels tell whose a container is", () => {
  const tenantId = "9a06f238-508e-5247-b361-6f964908fbb6" as TenantId;
  assert.deepEqual(tenantLabels("deeplens", "qdrant", { slug: acme, tenantId }), {
    tenant: "acme-corp",
    service: "qdrant",
    "deeplens.tenant-id": tenantId,
    "deeplens.installation": "deeplens",
  });
});
