import { generateKeyPairSync, type KeyObject, randomBytes, verify } from "node:crypto";
import type { IncomingMessage } from "node:http";
import type { Right } from "../cloud.ts";
import { allRights, type TestCloud } from "./customer.ts";
import { fakeGcs } from "./fake-gcs.ts";
import { type FrontAnswer, startFront } from "./front.ts";

interface Account {
  readonly publicKey: KeyObject;
  readonly prefix: string;
  rights: readonly Right[];
}

/**
 * What fake-gcs-server leaves out, as Google documents it: who signs, and what they may. A token that the account signed
 * itself is checked by its public key (https://google.aip.dev/auth/4111); refusals have Google's form
 * (https://cloud.google.com/storage/docs/json_api/v1/status-codes).
 */
export const gcsBehindFront = async (): Promise<TestCloud> => {
  const fake = await fakeGcs();
  const accounts = new Map<string, Account>();
  const front = await startFront(fake.url, {
    refuse: (incoming) => {
      const asked = askedFor(incoming);
      const account = accounts.get(signerOf(incoming, accounts) ?? "");
      if (account === undefined) return refusal(401, "authError", "Invalid Credentials");
      if (account.rights.includes(asked.right) && asked.name.startsWith(account.prefix)) return undefined;
      const permission = permissions[asked.right];
      return refusal(
        403,
        "forbidden",
        `the account does not have ${permission} access to the Google Cloud Storage object. Permission '${permission}' denied on resource (or it may not exist).`,
      );
    },
  });
  const { url } = front;
  return {
    name: "GCS",
    words: {
      list: /storage\.objects\.list/,
      write: /storage\.objects\.create/,
      read: /storage\.objects\.get/,
      delete: /storage\.objects\.delete/,
    },
    async customer(prefix = "") {
      const bucket = `byos-${randomBytes(5).toString("hex")}`;
      await owner(`${fake.url}/storage/v1/b`, { method: "POST", body: JSON.stringify({ name: bucket }) });
      const { publicKey, privateKey } = generateKeyPairSync("rsa", { modulusLength: 2_048 });
      const clientEmail = `${bucket}@acme.iam.gserviceaccount.com`;
      const account: Account = { publicKey, prefix, rights: allRights };
      accounts.set(clientEmail, account);
      return {
        location: { ...{ provider: "gcs", bucket, endpoint: url, region: null, prefix, pathStyle: false } },
        credentials: { provider: "gcs", clientEmail, privateKey: pemOf(privateKey) },
        allow: async (rights) => {
          account.rights = rights;
        },
        put: async (key, text) => {
          const query = `uploadType=media&name=${encodeURIComponent(key)}`;
          await owner(`${fake.url}/upload/storage/v1/b/${bucket}/o?${query}`, { method: "POST", body: text });
        },
        keys: async () => {
          const { items = [] } = (await (await owner(`${fake.url}/storage/v1/b/${bucket}/o`)).json()) as {
            items?: { name: string }[];
          };
          return items.map(({ name }) => name);
        },
      };
    },
    unknownTo: (credentials) => ({
      ...(credentials as Extract<typeof credentials, { provider: "gcs" }>),
      privateKey: pemOf(generateKeyPairSync("rsa", { modulusLength: 2_048 }).privateKey),
    }),
    close: async () => {
      await front.close();
      await fake.close();
    },
  };
};

const permissions: Readonly<Record<Right, string>> = {
  list: "storage.objects.list",
  write: "storage.objects.create",
  read: "storage.objects.get",
  delete: "storage.objects.delete",
};

const pemOf = (key: KeyObject): string => key.export({ type: "pkcs8", format: "pem" }).toString().trim();

/** Who signed the request's token, where the signature is that account's. */
const signerOf = (
  { headers }: IncomingMessage,
  accounts: ReadonlyMap<string, Account>,
): string | undefined => {
  const [head = "", claims = "", signature = ""] = (headers.authorization ?? "")
    .replace(/^Bearer /, "")
    .split(".");
  try {
    const { iss, exp } = JSON.parse(Buffer.from(claims, "base64url").toString()) as {
      iss: string;
      exp: number;
    };
    const key = accounts.get(iss)?.publicKey;
    const signed =
      key !== undefined &&
      verify("sha256", Buffer.from(`${head}.${claims}`), key, Buffer.from(signature, "base64url"));
    return signed && exp * 1_000 > Date.now() ? iss : undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined; // claims that are no JSON: nobody signed them
    throw error;
  }
};

/** The right that a call needs, and the object or prefix that it names. */
const askedFor = ({ method, url = "" }: IncomingMessage): { right: Right; name: string } => {
  const { pathname, searchParams } = new URL(url, "http://gcs");
  const name = decodeURIComponent(
    /\/o\/(.+)$/.exec(pathname)?.[1] ?? searchParams.get("name") ?? searchParams.get("prefix") ?? "",
  );
  if (method === "POST") return { right: "write", name };
  if (method === "DELETE") return { right: "delete", name };
  return { right: /\/o\/./.test(pathname) ? "read" : "list", name };
};

const refusal = (status: number, reason: string, message: string): FrontAnswer => {
  const error = { code: status, message, errors: [{ domain: "global", reason, message }] };
  return {
    ...{ status, headers: { "content-type": "application/json" } },
    body: Buffer.from(JSON.stringify({ error })),
  };
};

const owner = async (address: string, init?: RequestInit): Promise<Response> => {
  const answer = await fetch(address, init);
  if (!answer.ok) throw new Error(`fake-gcs-server: ${answer.status} ${await answer.text()}`);
  return answer;
};
