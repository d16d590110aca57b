import { z } from "zod";
import { type AdminAccess, callAdmin, callAdminEncrypted, MinioError } from "./client.ts";

const noSuchUser = "XMinioAdminNoSuchUser";
const invalidCredentials = "XMinioInvalidIAMCredentials";

/** True where a user of that access key is there. */
export const userExists = (access: AdminAccess, accessKey: string, signal: AbortSignal): Promise<boolean> =>
  exists(
    () => callAdmin(access, { method: "GET", name: "user-info", query: { accessKey } }, signal),
    noSuchUser,
  );

/** Makes the user, or gives the one that is there this secret: an upsert, so only for a user that is known to be ours. */
export const putUser = async (
  access: AdminAccess,
  user: { accessKey: string; secretKey: string },
  signal: AbortSignal,
): Promise<void> => {
  await callAdmin(
    access,
    {
      method: "PUT",
      name: "add-user",
      query: { accessKey: user.accessKey },
      body: { json: { secretKey: user.secretKey, status: "enabled" }, encrypted: true },
    },
    signal,
  );
};

export type UserStatus = "enabled" | "disabled";

/** Lets a user in or shuts it out, with its secret as it is. */
export const setUserStatus = async (
  access: AdminAccess,
  accessKey: string,
  status: UserStatus,
  signal: AbortSignal,
): Promise<void> => {
  await callAdmin(access, { method: "PUT", name: "set-user-status", query: { accessKey, status } }, signal);
};

/** The same for a service account. */
export const setServiceAccountStatus = async (
  access: AdminAccess,
  accessKey: string,
  status: UserStatus,
  signal: AbortSignal,
): Promise<void> => {
  const body = { json: { newStatus: status === "enabled" ? "on" : "off" }, encrypted: true };
  await callAdmin(
    access,
    { method: "POST", name: "update-service-account", query: { accessKey }, body },
    signal,
  );
};

/** Gives the user exactly this policy. */
export const setUserPolicy = async (
  access: AdminAccess,
  accessKey: string,
  policyName: string,
  signal: AbortSignal,
): Promise<void> => {
  const query = { policyName, userOrGroup: accessKey, isGroup: "false" };
  await callAdmin(access, { method: "PUT", name: "set-user-or-group-policy", query }, signal);
};

/** Removes the user and every service account under it; a missing one succeeds. */
export const removeUser = (access: AdminAccess, accessKey: string, signal: AbortSignal): Promise<void> =>
  missingIsFine(
    () => callAdmin(access, { method: "DELETE", name: "remove-user", query: { accessKey } }, signal),
    noSuchUser,
  );

const serviceAccountInfo = z.object({ parentUser: z.string() });

/** The user that a service account is under, or undefined where there is no such account. */
export const serviceAccountParent = async (
  access: AdminAccess,
  accessKey: string,
  signal: AbortSignal,
): Promise<string | undefined> => {
  try {
    const call = { method: "GET", name: "info-service-account", query: { accessKey } } as const;
    return serviceAccountInfo.parse(await callAdminEncrypted(access, call, signal)).parentUser;
  } catch (error) {
    if (error instanceof MinioError && error.code === invalidCredentials) return undefined;
    throw error;
  }
};

/** Makes a service account under a user, with its rights. Refused where the access key is taken. */
export const addServiceAccount = async (
  access: AdminAccess,
  account: { accessKey: string; secretKey: string; targetUser: string },
  signal: AbortSignal,
): Promise<void> => {
  await callAdmin(
    access,
    { method: "PUT", name: "add-service-account", body: { json: account, encrypted: true } },
    signal,
  );
};

/** Gives a service account this secret and enables it; the one before stops at once. */
export const updateServiceAccount = async (
  access: AdminAccess,
  account: { accessKey: string; secretKey: string },
  signal: AbortSignal,
): Promise<void> => {
  await callAdmin(
    access,
    {
      method: "POST",
      name: "update-service-account",
      query: { accessKey: account.accessKey },
      body: { json: { newSecretKey: account.secretKey, newStatus: "on" }, encrypted: true },
    },
    signal,
  );
};

/** Removes a service account; a missing one succeeds. */
export const removeServiceAccount = (
  access: AdminAccess,
  accessKey: string,
  signal: AbortSignal,
): Promise<void> =>
  missingIsFine(
    () =>
      callAdmin(access, { method: "DELETE", name: "delete-service-account", query: { accessKey } }, signal),
    invalidCredentials,
  );

const serviceAccountList = z.object({ accounts: z.array(z.object({ accessKey: z.string() })).nullable() });

/** The access keys of the service accounts under a user; none for a user that is not there. */
export const listServiceAccounts = async (
  access: AdminAccess,
  user: string,
  signal: AbortSignal,
): Promise<string[]> => {
  const call = { method: "GET", name: "list-service-accounts", query: { user } } as const;
  const { accounts } = serviceAccountList.parse(await callAdminEncrypted(access, call, signal));
  return (accounts ?? []).map(({ accessKey }) => accessKey);
};

const exists = async (ask: () => Promise<unknown>, missingCode: string): Promise<boolean> => {
  try {
    await ask();
    return true;
  } catch (error) {
    if (error instanceof MinioError && error.status === 404 && error.code === missingCode) return false;
    throw error;
  }
};

const missingIsFine = async (remove: () => Promise<unknown>, missingCode: string): Promise<void> => {
  await exists(remove, missingCode);
};
