import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { Writable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { parseArgs } from "node:util";
import {
  type DataKey,
  fileOf,
  forgeryOf,
  type Manifest,
  openPart,
  parseDataKey,
  parseManifest,
  sealedKeyOf,
  wrappedKeyContext,
} from "@deeplens/backup";
import { parseMasterKey, unseal } from "@deeplens/secrets";

// Opens one file of a backup, for restoring by hand with the services' own tools: docs/backups.md.
//   node src/decrypt.ts <the backup's folder> <file> --key-file <file> > part
//   node src/decrypt.ts <the backup's folder> <file> --master-key-file <file> > part

/** @throws with what is wrong, and writes nothing that was not authenticated */
const decrypt = async (): Promise<void> => {
  const { positionals, values } = parseArgs({
    allowPositionals: true,
    options: { "key-file": { type: "string" }, "master-key-file": { type: "string" } },
  });
  const [folder, file] = positionals;
  const { "key-file": keyFile, "master-key-file": masterKeyFile } = values;
  if (folder === undefined || file === undefined || (keyFile === undefined) === (masterKeyFile === undefined))
    throw new Error(
      "usage: decrypt.ts <backup's folder> <file> (--key-file <file> | --master-key-file <file>)",
    );
  const reading = parseManifest(readFileSync(resolve(folder, "manifest.json"), "utf8"));
  if (!reading.ok) throw new Error(`manifest.json: ${reading.reason}`);
  const { manifest } = reading;
  const key =
    keyFile === undefined
      ? unwrapped(manifest, readFileSync(masterKeyFile ?? "", "utf8"))
      : parseDataKey(readFileSync(keyFile, "utf8"));
  const forgery = forgeryOf(manifest, key);
  if (forgery !== undefined) throw new Error(forgery.message);
  const part = manifest.parts.find((one) => one.file === file);
  if (part === undefined)
    throw new Error(`${file}: the backup has ${manifest.parts.map((one) => one.file).join(", ")}`);
  const { signal } = new AbortController();
  // Not ended: it is the process's own.
  const output = () =>
    new Writable({ write: (chunk, _encoding, done) => void process.stdout.write(chunk, done) });
  await openPart(fileOf(folder, manifest, part, key), (plain) => pipeline(plain, output()), signal);
};

/** The data key that the manifest bears, as the master key opens it. */
const unwrapped = ({ tenantId, key: { wrapped } }: Manifest, masterKey: string): DataKey =>
  parseDataKey(unseal(parseMasterKey(masterKey), sealedKeyOf(wrapped), wrappedKeyContext(tenantId)));

try {
  await decrypt();
} catch (error) {
  process.stderr.write(`${(error as Error).message}\n`);
  process.exitCode = 1;
}
