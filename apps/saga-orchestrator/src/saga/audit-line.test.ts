import assert from "node:assert/strict";
import { test } from "node:test";
import { auditLineOf } from "./audit-line.ts";

const who = { by: "ada", reason: "the disk is free again", origin: "10.0.0.7" };
const act = { kind: "act", act: "retry", sagaId: "s", tenantId: "t", ...who } as const;

test("an act is a line of its own, with what came of it, also where it was refused", () => {
  const done = { ok: true, sagaId: "s", tenantId: "t", status: "running", repeated: false } as const;
  const line = { actor: "ada", reason: who.reason, origin: who.origin, action: "saga.retry", subject: "s" };
  assert.deepEqual(auditLineOf(act, 0, done), { ...line, outcome: "running" });
  const refused = { ok: false, code: "already-ready", message: "it is ready" } as const;
  assert.deepEqual(auditLineOf(act, 0, refused), { ...line, outcome: "refused: already-ready" });
});

test("a stopped partition that is accepted is a line with the offset from which it is read on", () => {
  const line = auditLineOf({ kind: "accept", stream: "replies", from: "end", ...who }, 3, {
    ok: true,
    next: 7,
  });
  assert.deepEqual([line?.subject, line?.outcome], ["replies/3", "read from the log's end, offset 7"]);
});

test("what no person asked for is no line: the workers' look at a tenant's health", () => {
  const body = { kind: "health", slug: "acme", tenantId: "t", ill: {} } as const;
  const done = { ok: true, sagaId: "s", tenantId: "t", status: "ready", repeated: false } as const;
  assert.equal(auditLineOf(body, 0, done), undefined);
});
