import { type AdminAccess, callAdmin, MinioError } from "./client.ts";

/** An IAM policy as MinIO takes it. */
export interface PolicyDocument {
  readonly Version: "2012-10-17";
  readonly Statement: readonly {
    readonly Effect: "Allow" | "Deny";
    readonly Action: readonly string[];
    readonly Resource?: readonly string[];
    readonly Condition?: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>>;
  }[];
}

/** True where a canned policy of that name is there. */
export const policyExists = async (
  access: AdminAccess,
  name: string,
  signal: AbortSignal,
): Promise<boolean> => {
  try {
    await callAdmin(access, { method: "GET", name: "info-canned-policy", query: { name, v: "2" } }, signal);
    return true;
  } catch (error) {
    if (error instanceof MinioError && error.code === "XMinioAdminNoSuchPolicy") return false;
    throw error;
  }
};

/** Makes the policy, or overwrites the one that is there: an upsert, so only for a policy that is known to be ours. */
export const putPolicy = async (
  access: AdminAccess,
  name: string,
  document: PolicyDocument,
  signal: AbortSignal,
): Promise<void> => {
  const body = { json: document, encrypted: false };
  await callAdmin(access, { method: "PUT", name: "add-canned-policy", query: { name }, body }, signal);
};

/** Removes the policy; a missing one succeeds. MinIO refuses while a user or a group still has it. */
export const removePolicy = async (access: AdminAccess, name: string, signal: AbortSignal): Promise<void> => {
  await callAdmin(access, { method: "DELETE", name: "remove-canned-policy", query: { name } }, signal);
};
