import { Client } from "minio";
import { type Check, type Finding, problem } from "../check.ts";
import { type Patient, passwordIn, restart } from "../patient.ts";

/** MinIO is ready and takes the root user's key. */
export const minio: Check = {
  name: "minio",
  needs: [],
  unanswered: (patient) => restart(patient, "minio"),
  examine: async (patient, signal) => {
    const { endpoint } = patient.stack.minio;
    const ready = await fetch(`${endpoint}/minio/health/ready`, { signal });
    if (!ready.ok)
      return {
        seen: `answers ${ready.status}`,
        findings: [problem(`MinIO at ${endpoint} is not ready (${ready.status})`, restart(patient, "minio"))],
      };
    try {
      const buckets = await client(patient).listBuckets();
      return { seen: `${buckets.length} buckets`, findings: [] };
    } catch (error) {
      const finding = refusal(error as { code?: string; message: string }, patient);
      if (finding === undefined) throw error;
      return { seen: "access refused", findings: [finding] };
    }
  },
};

const client = ({ stack: { minio: address } }: Patient): Client => {
  const url = new URL(address.endpoint);
  const useSSL = url.protocol === "https:";
  return new Client({
    endPoint: url.hostname,
    port: Number(url.port) || (useSSL ? 443 : 80),
    useSSL,
    accessKey: address.rootUser,
    secretKey: passwordIn(address.passwordFile),
    region: "us-east-1",
    retryOptions: { disableRetry: true },
  });
};

const refusal = (
  { code, message }: { code?: string; message: string },
  { stack, installation }: Patient,
): Finding | undefined => {
  switch (code) {
    case "InvalidAccessKeyId":
    case "SignatureDoesNotMatch":
    case "AccessDenied":
      return problem(
        `MinIO refuses the root user ${stack.minio.rootUser} (${code}): its password is not the one in ${stack.minio.passwordFile}`,
        `put the password that MinIO was started with into that file; then docker restart ${installation}-minio ${installation}-storage-worker`,
      );
    case "RequestTimeTooSkewed":
      return problem(`MinIO refuses every request: ${message}`, "set the clock: chronyc makestep");
    default:
      return undefined;
  }
};
