import { type AdminAccess, callAdmin } from "./client.ts";

const timeoutMs = 2_500;

/** Resolves where MinIO answers to these admin credentials within 2.5 s, and throws its reason otherwise. */
export const minioAnswers = async (access: AdminAccess): Promise<void> => {
  const query = { name: "readonly", v: "2" };
  await callAdmin(
    access,
    { method: "GET", name: "info-canned-policy", query },
    AbortSignal.timeout(timeoutMs),
  );
};
