import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { afterOthers, oneAtATime } from "./one-at-a-time.ts";

const folderOf = (t: TestContext): string => {
  const folder = mkdtempSync(join(tmpdir(), "deeplens-lock-"));
  const before = process.env.XDG_STATE_HOME;
  process.env.XDG_STATE_HOME = folder;
  t.after(() => {
    if (before === undefined) delete process.env.XDG_STATE_HOME;
    else process.env.XDG_STATE_HOME = before;
    rmSync(folder, { recursive: true, force: true });
  });
  return folder;
};

test("a second command on an installation is told who works on it, and nothing is left afterwards", async (t) => {
  const folder = folderOf(t);
  await oneAtATime("mine", async () => {
    await assert.rejects(
      oneAtATime("mine", async () => undefined),
      new RegExp(`process ${process.pid}\\)`),
    );
    await oneAtATime("another", async () => undefined);
  });
  assert.deepEqual(readdirSync(join(folder, "deeplens")), []);
});

test("a lock whose process is gone, or has its number from before a reboot, is nobody's", async (t) => {
  const folder = folderOf(t);
  const file = join(folder, "images.lock");
  // The second is this process's number with another start; seen to fail without the comparison of starts.
  for (const holder of ["999999999 1", `${process.pid} 1`, ""]) {
    writeFileSync(file, holder);
    assert.equal(await afterOthers(file, "building", async () => "done"), "done");
    assert.equal(existsSync(file), false);
  }
});

test("who waits for others goes on when they have ended, one at a time", async (t) => {
  const file = join(folderOf(t), "images.lock");
  const order: string[] = [];
  const one = async (name: string): Promise<void> =>
    afterOthers(file, "building", async () => {
      order.push(`${name} begins`);
      await new Promise((resolve) => setTimeout(resolve, 20));
      order.push(`${name} ends`);
    });
  await Promise.all([one("a"), one("b")]);
  assert.deepEqual(order, ["a begins", "a ends", "b begins", "b ends"]);
});
