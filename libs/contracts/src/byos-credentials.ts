import type { RequestRejection } from "./requests.ts";

/** What opens a place of the tenant's own, by provider. Never in a message: it is dropped off, and named by reference. */
export type ByosCredentials =
  | {
      readonly provider: "aws_s3";
      readonly accessKeyId: string;
      readonly secretAccessKey: string;
      /** Of temporary credentials. */
      readonly sessionToken?: string;
    }
  | { readonly provider: "azure_blob"; readonly accountName: string; readonly accountKey: string }
  | {
      readonly provider: "azure_blob";
      readonly accountName: string;
      /** A shared access signature, without the `?` before it. */
      readonly sasToken: string;
    }
  | { readonly provider: "gcs"; readonly clientEmail: string; readonly privateKey: string };

export type CredentialsResult =
  | { readonly ok: true; readonly credentials: ByosCredentials }
  | { readonly ok: false; readonly rejection: RequestRejection };

/**
 * Credentials in the form in which their vendor gives them, told apart by their fields: an S3 access key, an Azure
 * account with key, signature or connection string, or the key file of a Google service account. A refusal names
 * fields and never what is in them.
 */
export const byosCredentialsOf = (given: unknown): CredentialsResult => {
  if (typeof given !== "object" || given === null || Array.isArray(given)) return reject(forms);
  const fields = textFields(
    "AccessKey" in given ? given.AccessKey : "Credentials" in given ? given.Credentials : given,
  );
  if (fields.accesskeyid !== undefined) return s3Of(fields);
  if (fields.accountname !== undefined || fields.connectionstring !== undefined) return azureOf(fields);
  if (fields.type !== undefined || fields.client_email !== undefined || fields.clientemail !== undefined)
    return googleOf(fields);
  return reject(forms);
};

/** The parts of stored credentials that may not be shown; none where it is no such text. */
export const secretPartsOf = (stored: string): readonly string[] => {
  if (!stored.startsWith('{"provider":')) return [];
  const open = new Set(["provider", "accessKeyId", "accountName", "clientEmail"]);
  return Object.entries(JSON.parse(stored) as Record<string, string>).flatMap(([key, value]) =>
    open.has(key) ? [] : [value],
  );
};

type Fields = Readonly<Record<string, string | undefined>>;

const forms =
  'must be one of {"accessKeyId", "secretAccessKey", "sessionToken"?} for S3, {"accountName", "accountKey"}, {"accountName", "sasToken"} or {"connectionString"} for Azure, or a Google service account\'s key file';

// AWS's own tools write AccessKeyId, others accessKeyId.
const textFields = (given: unknown): Fields =>
  Object.fromEntries(
    Object.entries(typeof given === "object" && given !== null ? given : {}).flatMap(([key, value]) =>
      typeof value === "string" && value.trim() !== "" ? [[key.toLowerCase(), value.trim()]] : [],
    ),
  );

const s3Of = ({
  accesskeyid: accessKeyId = "",
  secretaccesskey,
  sessiontoken,
}: Fields): CredentialsResult => {
  if (secretaccesskey === undefined) return reject("secretAccessKey is missing beside accessKeyId");
  if (!/^[\x21-\x7e]{3,128}$/.test(accessKeyId)) return reject("accessKeyId is no access key's id");
  if (!/^[\x21-\x7e]{8,256}$/.test(secretaccesskey)) return reject("secretAccessKey is no secret access key");
  const sessionToken = sessiontoken === undefined ? {} : { sessionToken: sessiontoken };
  return take({ provider: "aws_s3", accessKeyId, secretAccessKey: secretaccesskey, ...sessionToken });
};

const azureOf = (fields: Fields): CredentialsResult => {
  if (fields.connectionstring !== undefined)
    return azureOf({ accountname: "", ...connectionParts(fields.connectionstring) });
  const { accountname: accountName = "", accountkey: accountKey } = fields;
  const sasToken = (fields.sastoken ?? fields.sharedaccesssignature)?.replace(/^\?/, "");
  if (!/^[a-z0-9]{3,24}$/.test(accountName))
    return reject("the account's name is missing: 3 to 24 lower-case letters and digits, as accountName");
  if (accountKey !== undefined)
    return /^[A-Za-z0-9+/]{16,}=*$/.test(accountKey)
      ? take({ provider: "azure_blob", accountName, accountKey })
      : reject("accountKey is no key of a storage account: base64");
  if (sasToken === undefined) return reject("accountKey or sasToken is missing beside accountName");
  return new URLSearchParams(sasToken).has("sig")
    ? take({ provider: "azure_blob", accountName, sasToken })
    : reject("sasToken is no shared access signature: it has no sig");
};

const connectionParts = (text: string): Fields =>
  Object.fromEntries(
    text.split(";").map((part) => {
      const [key = "", ...value] = part.split("=");
      return [key.trim().toLowerCase(), value.join("=")];
    }),
  );

// Only a service account's own key: other kinds of Google's files name addresses and programs to ask for a token.
const googleOf = (fields: Fields): CredentialsResult => {
  const clientEmail = fields.client_email ?? fields.clientemail ?? "";
  const privateKey = fields.private_key ?? fields.privatekey ?? "";
  if (fields.type !== undefined && fields.type !== "service_account")
    return reject("the Google file is of another type than service_account");
  if (!/^[^\s@]+@[^\s@]+$/.test(clientEmail)) return reject("client_email is missing or no address");
  if (!/^-----BEGIN (RSA )?PRIVATE KEY-----\n[\s\S]+-----END (RSA )?PRIVATE KEY-----$/.test(privateKey))
    return reject("private_key is missing or no PEM private key");
  return take({ provider: "gcs", clientEmail, privateKey });
};

const take = (credentials: ByosCredentials): CredentialsResult => ({ ok: true, credentials });

const reject = (rule: string): CredentialsResult => ({
  ok: false,
  rejection: { code: "credentials-invalid", message: `credentials: ${rule}` },
});
