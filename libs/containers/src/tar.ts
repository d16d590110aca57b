import type { ContainerFile } from "./engine.ts";

const blockBytes = 512;

/**
 * A tar archive (POSIX ustar) that holds these files, to be unpacked at `/`.
 * @throws RangeError for a path longer than 100 bytes, which the short form of a name does not hold
 */
export const tarOf = (files: readonly ContainerFile[]): Buffer =>
  Buffer.concat([...files.map(entryOf), Buffer.alloc(2 * blockBytes)]);

const entryOf = (file: ContainerFile): Buffer => {
  const name = file.path.replace(/^\/+/, "");
  if (Buffer.byteLength(name) > 100) throw new RangeError(`the path ${file.path} is longer than 100 bytes`);
  const content = Buffer.from(file.content);
  const header = Buffer.alloc(blockBytes);
  const octal = (value: number, at: number, length: number): void => {
    header.write(`${value.toString(8).padStart(length - 1, "0")}\0`, at, "ascii");
  };
  header.write(name, 0);
  octal(file.mode, 100, 8);
  octal(file.owner?.uid ?? 0, 108, 8);
  octal(file.owner?.gid ?? 0, 116, 8);
  octal(content.length, 124, 12);
  octal(Math.floor(Date.now() / 1000), 136, 12);
  header.write("        ", 148, "ascii"); // The checksum counts its own field as spaces.
  header.write("0", 156, "ascii");
  header.write("ustar\x0000", 257, "ascii");
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148, "ascii");
  const padding = Buffer.alloc((blockBytes - (content.length % blockBytes)) % blockBytes);
  return Buffer.concat([header, content, padding]);
};
