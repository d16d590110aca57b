import assert from "node:assert/strict";
import { test } from "node:test";
import { createCursors } from "./cursor.ts";
import { Problem } from "./problem.ts";

const cursor = { microseconds: 1_767_225_600_000_001, id: "8b7c1f0e-6a55-5a0f-9a5e-0123456789ab" };
const wrong = (error: unknown): boolean => error instanceof Problem && error.body.code === "cursor-wrong";

test("a cursor comes back as it was, in every orchestrator that has the same secret", () => {
  const text = createCursors("secret").encode(cursor, "sagas");
  assert.deepEqual(createCursors("secret").decode(text, "sagas"), cursor);
});

// Seen to fail with a signature that is not compared.
test("a cursor that was changed, made up, or given for another list or another secret is refused", () => {
  const cursors = createCursors("secret");
  const text = cursors.encode(cursor, "sagas");
  const bytes = Buffer.from(text, "base64url");
  for (let at = 0; at < bytes.length; at++) {
    const changed = Buffer.from(bytes);
    changed[at] = (changed[at] ?? 0) ^ 1;
    assert.throws(() => cursors.decode(changed.toString("base64url"), "sagas"), wrong, `byte ${at}`);
  }
  for (const made of ["", "abc", Buffer.from("1/2").toString("base64url"), text.slice(0, 10)])
    assert.throws(() => cursors.decode(made, "sagas"), wrong, made);
  assert.throws(() => cursors.decode(text, "sagas of another filter"), wrong);
  assert.throws(() => createCursors("other").decode(text, "sagas"), wrong);
});
