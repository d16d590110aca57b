import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import {
  BlobServiceClient,
  generateBlobSASQueryParameters,
  StorageSharedKeyCredential,
} from "@azure/storage-blob";
import type { Right } from "../cloud.ts";
import { allRights, type TestCloud } from "./customer.ts";
import { type FrontAnswer, startFront } from "./front.ts";

const program = join(
  dirname(fileURLToPath(import.meta.resolve("azurite/package.json"))),
  "dist/src/blob/main.js",
);
const account = "acmestorage";
const policy = "deeplens";
const permissions: Readonly<Record<Right, string>> = { list: "l", write: "cw", read: "r", delete: "d" };
// Azure takes them in this order only.
const order = [..."rcwdl"];

/** Microsoft's emulator of Blob Storage, as a process of its own that keeps everything in memory. */
export const azurite = async (): Promise<TestCloud & { readonly accountKey: string }> => {
  const accountKey = randomBytes(64).toString("base64");
  const flags = ["--inMemoryPersistence", "--silent", "--disableTelemetry", "--skipApiVersionCheck"];
  const child = spawn(process.execPath, [program, "--blobHost", "127.0.0.1", "--blobPort", "0", ...flags], {
    stdio: ["ignore", "pipe", "inherit"],
    env: { AZURITE_ACCOUNTS: `${account}:${accountKey}`, HOME: "/nonexistent" },
  });
  const emulator = await addressOf(child.stdout);
  const front = await startFront(emulator, { mend: namedAsAzureDoes });
  const endpoint = `${front.url}/${account}`;
  const owner = new StorageSharedKeyCredential(account, accountKey);
  const service = new BlobServiceClient(endpoint, owner);
  return {
    name: "Azure",
    accountKey,
    words: {
      list: /blobs\/read .*sp=l/,
      write: /blobs\/write .*sp=cw/,
      read: /blobs\/read .*sp=r/,
      delete: /blobs\/delete .*sp=d/,
    },
    async customer(prefix = "") {
      const name = `byos-${randomBytes(5).toString("hex")}`;
      const container = service.getContainerClient(name);
      await container.create();
      // A signature that names a stored policy: what that allows can change while the signature stays.
      const allow = async (rights: readonly Right[]): Promise<void> => {
        const letters = order
          .filter((letter) => rights.some((right) => permissions[right].includes(letter)))
          .join("");
        const accessPolicy = {
          permissions: letters,
          startsOn: new Date(0),
          expiresOn: new Date("2099-01-01"),
        };
        // Without any right the policy is taken away: so a signature is revoked.
        await container.setAccessPolicy(undefined, letters === "" ? [] : [{ id: policy, accessPolicy }]);
      };
      await allow(allRights);
      const sas = generateBlobSASQueryParameters({ containerName: name, identifier: policy }, owner);
      return {
        location: {
          ...{ provider: "azure_blob", bucket: name, endpoint, region: null, prefix, pathStyle: false },
        },
        credentials: { provider: "azure_blob", accountName: account, sasToken: sas.toString() },
        allow,
        put: async (key, text) => {
          await container.getBlockBlobClient(key).upload(text, Buffer.byteLength(text));
        },
        keys: async () => {
          const names = [];
          for await (const blob of container.listBlobsFlat()) names.push(blob.name);
          return names;
        },
      };
    },
    unknownTo: (credentials) => {
      const { sasToken } = credentials as { sasToken: string };
      const sig = encodeURIComponent(randomBytes(32).toString("base64"));
      return { ...credentials, sasToken: sasToken.replace(/sig=[^&]+/, `sig=${sig}`) } as typeof credentials;
    },
    close: async () => {
      await front.close();
      const ended = once(child, "close");
      child.kill("SIGTERM");
      await ended;
    },
  };
};

// Azurite says AuthorizationFailure to a signature that does not fit, with the text of Azure's AuthenticationFailed
// (https://learn.microsoft.com/rest/api/storageservices/common-rest-api-error-codes).
const namedAsAzureDoes = (answer: FrontAnswer): FrontAnswer => {
  const text = answer.body.toString();
  if (answer.status !== 403 || !text.includes("Server failed to authenticate the request")) return answer;
  const body = Buffer.from(text.replace("AuthorizationFailure", "AuthenticationFailed"));
  const { "content-length": _length, ...headers } = answer.headers;
  return { ...answer, headers: { ...headers, "x-ms-error-code": "AuthenticationFailed" }, body };
};

const addressOf = async (output: NodeJS.ReadableStream): Promise<string> => {
  for await (const line of createInterface({ input: output })) {
    const address = /successfully listens on (http:\S+)/.exec(line)?.[1];
    if (address !== undefined) return address;
  }
  throw new Error("azurite ended before it listened");
};
