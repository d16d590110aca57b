import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { describe, test } from "node:test";
import { decrypting, encrypting, type UnreadableCode, UnreadableError } from "./cipher.ts";
import { newDataKey, parseDataKey } from "./data-key.ts";

const key = parseDataKey(newDataKey());
const name = "tenant/backup/database.dump";
const header = 48;
const chunk = 64 * 1024;

const sealed = (plain: Buffer, pieces = plain.length): Promise<Buffer> =>
  buffer(Readable.from(inPieces(plain, pieces)).pipe(encrypting(key, name)));
const opened = (file: Buffer, pieces = file.length, as = { key, name }): Promise<Buffer> => {
  const through = decrypting(as.key, as.name);
  const source = Readable.from(inPieces(file, pieces));
  source.pipe(through);
  return buffer(through);
};
function* inPieces(whole: Buffer, size: number): Generator<Buffer> {
  for (let from = 0; from < whole.length; from += size) yield whole.subarray(from, from + size);
}
const refusedAs = (code: UnreadableCode) => (error: unknown) =>
  error instanceof UnreadableError && error.code === code;

describe("a part's file", () => {
  for (const size of [0, 1, chunk - 1, chunk, chunk + 1, 3 * chunk, 200_000])
    for (const pieces of [1_000, chunk, 1_000_000])
      test(`gives back ${size} bytes, written and read by ${pieces}`, async () => {
        const plain = randomBytes(size);
        const file = await sealed(plain, pieces);
        assert.deepEqual(await opened(file, pieces), plain);
        assert.equal(file.length, header + size + 16 * Math.max(1, Math.ceil(size / chunk)));
      });

  // Seen to fail with the tag left unchecked.
  test("with any bit flipped is damaged, or of another key, and gives out nothing of that chunk", async () => {
    const file = await sealed(randomBytes(2 * chunk + 100));
    for (const at of [0, 3, 20, header, header + 5, header + chunk, header + chunk + 20, file.length - 1]) {
      const changed = Buffer.from(file);
      changed[at] = (changed[at] ?? 0) ^ 0x10;
      await assert.rejects(opened(changed), refusedAs("damaged"), `byte ${at}`);
    }
    const ofOtherKey = Buffer.from(file);
    ofOtherKey[8] = (ofOtherKey[8] ?? 0) ^ 1;
    await assert.rejects(opened(ofOtherKey), refusedAs("wrong-key"));
  });

  // Seen to fail without the mark of the last chunk in the nonce.
  test("that was cut off is known as such at a chunk's end, and is refused anywhere", async () => {
    const file = await sealed(randomBytes(3 * chunk));
    for (const length of [0, 10, header, header + 5, header + chunk + 16, header + 2 * (chunk + 16)])
      await assert.rejects(opened(file.subarray(0, length)), refusedAs("cut-off"), `${length} bytes`);
    await assert.rejects(opened(file.subarray(0, file.length - 1)), UnreadableError);
  });

  test("whose chunks were swapped or left out, or with something after its end, is damaged", async () => {
    const file = await sealed(randomBytes(3 * chunk));
    const part = (number: number): Buffer =>
      file.subarray(header + number * (chunk + 16), header + (number + 1) * (chunk + 16));
    const head = file.subarray(0, header);
    for (const chunks of [
      [part(1), part(0), part(2)],
      [part(0), part(2)],
      [part(0), part(1), part(2), part(2)],
    ])
      await assert.rejects(opened(Buffer.concat([head, ...chunks])), refusedAs("damaged"));
  });

  test("opens under its own key and its own name only", async () => {
    const file = await sealed(Buffer.from("x"));
    const other = parseDataKey(newDataKey());
    await assert.rejects(opened(file, 100, { key: other, name }), refusedAs("wrong-key"));
    await assert.rejects(opened(file, 100, { key, name: "tenant/backup/other.dump" }), refusedAs("damaged"));
  });

  test("never looks the same twice", async () => {
    assert.notDeepEqual(await sealed(Buffer.from("x")), await sealed(Buffer.from("x")));
  });
});
