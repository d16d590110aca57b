import assert from "node:assert/strict";
import { test } from "node:test";
import { storageRequestOf } from "@deeplens/contracts";
import { rowsOf } from "../testing/memory-store.ts";
import { command, given, type Story } from "../testing/story.ts";
import {
  completed,
  failedForGood,
  replaceCredentialsAsked,
  requested,
  suspendAsked,
} from "../testing/story-events.ts";

const credentialRef = "drop:0f8b6f3e-5c1d-4c39-9d2e-3b0a5e6f7a81";
const own = storageRequestOf({
  type: "byos",
  provider: "aws_s3",
  bucket: "acme-images",
  region: "eu-central-1",
  credentialRef: "drop:1f8b6f3e-5c1d-4c39-9d2e-3b0a5e6f7a81",
});

const ready = (changes: Parameters<typeof requested>[0]): Story =>
  given(
    requested(changes),
    ...["database", "storage", "vectors", "backup", "identity"].map((step) => completed(step)),
  ).expectTenant("ready");

test("new credentials are asked of the storage part, told where they are; done, an event tells it and the tenant stays ready", () => {
  ready({ storage: own })
    .when(replaceCredentialsAsked({ credentialRef }))
    .expectAccepted({ repeated: false })
    .expectCommands(command("replace-credentials"))
    .look(({ messages }) => {
      const asked = messages.find(({ record }) => record === "TenantOperationRequested");
      assert.ok(asked?.record === "TenantOperationRequested");
      assert.equal(asked.value.parameters.credentialRef, credentialRef);
    })
    .when(replaceCredentialsAsked({ credentialRef, begins: false, inboxId: 8 }))
    .expectRefused("act-running")
    .when(completed("replace-credentials"))
    .expectState("done")
    .expectTenant("ready")
    .expectAnnounced("TenantCredentialsReplaced")
    .look(({ stored }) =>
      assert.equal(rowsOf(stored).tenants[0]?.resources["storage.name"], "the replace-credentials"),
    );
});

test("credentials that are refused change nothing, and nothing is told", () => {
  ready({ storage: own })
    .when(replaceCredentialsAsked({ credentialRef }), failedForGood("replace-credentials"))
    .expectState("undone")
    .expectTenant("ready")
    .expectAnnounced();
});

test("a suspended tenant gets them too, and stays suspended", () => {
  ready({ storage: own })
    .when(
      suspendAsked(),
      ...["database", "storage", "vectors", "backup"].map((part) => completed(`suspend-${part}`)),
    )
    .expectTenant("suspended")
    .when(replaceCredentialsAsked({ credentialRef, inboxId: 9 }), completed("replace-credentials"))
    .expectState("done")
    .expectTenant("suspended");
});

test("a tenant without storage of its own has none to replace", () => {
  ready({})
    .when(replaceCredentialsAsked({ credentialRef, begins: false }))
    .expectRefused("storage-not-byos");
});
