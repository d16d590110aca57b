import { type ByosProvider, byosCredentialsOf } from "@deeplens/contracts/rules";

/** What was typed of a cloud's credentials. It is held by the form alone, and forgotten with it. */
export interface CredentialFields {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly accountName: string;
  readonly accountKey: string;
  readonly sasToken: string;
  readonly keyFile: string;
}

export const noCredentials: CredentialFields = {
  accessKeyId: "",
  secretAccessKey: "",
  accountName: "",
  accountKey: "",
  sasToken: "",
  keyFile: "",
};

export type Given =
  | { readonly ok: true; readonly credentials: Record<string, unknown> }
  | { readonly ok: false; readonly message: string };

/** The credentials as they are dropped off, or what is wrong with them; a refusal names fields and never what is in them. */
export const credentialsOf = (provider: ByosProvider, fields: CredentialFields): Given => {
  const typed = typedOf(provider, fields);
  if (typed === undefined) return { ok: false, message: "the key file is no JSON: give all of it" };
  const result = byosCredentialsOf(typed);
  return result.ok ? { ok: true, credentials: typed } : { ok: false, message: result.rejection.message };
};

const typedOf = (provider: ByosProvider, fields: CredentialFields): Record<string, unknown> | undefined => {
  switch (provider) {
    case "aws_s3":
      return { accessKeyId: fields.accessKeyId, secretAccessKey: fields.secretAccessKey };
    case "azure_blob":
      return fields.sasToken === ""
        ? { accountName: fields.accountName, accountKey: fields.accountKey }
        : { accountName: fields.accountName, sasToken: fields.sasToken };
    case "gcs":
      try {
        return JSON.parse(fields.keyFile);
      } catch {
        return undefined;
      }
  }
};
