import { decrypt, encrypt } from "./encryption.ts";
import { type Credentials, sign, type UnsignedRequest } from "./signature.ts";

/** Whom the admin API is asked as. */
export interface AdminAccess extends Credentials {
  /** Origin of the server: `http://minio:9000`. */
  readonly endpoint: string;
}

export interface AdminCall {
  readonly method: UnsignedRequest["method"];
  /** The call's name under /minio/admin/v3/. */
  readonly name: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly body?: { readonly json: unknown; readonly encrypted: boolean };
}

/** What MinIO answered when it refused: `code` is its own (`XMinioAdminNoSuchUser`). */
export class MinioError extends Error {
  readonly status: number;
  readonly code: string;
  constructor(what: string, status: number, code: string, message: string) {
    super(`MinIO refused ${what}: ${status} ${code}: ${message}`);
    this.name = "MinioError";
    this.status = status;
    this.code = code;
  }
}

/**
 * Makes one call of MinIO's admin API and gives the body of its answer.
 *
 * @throws MinioError where it refuses; any other error where its answer is not known
 */
export const callAdmin = async (
  access: AdminAccess,
  call: AdminCall,
  signal: AbortSignal,
): Promise<Buffer> => {
  const plain = call.body === undefined ? undefined : Buffer.from(JSON.stringify(call.body.json));
  const body = plain !== undefined && call.body?.encrypted ? await encrypt(access.secretKey, plain) : plain;
  return send(access, `admin call ${call.name}`, signal, {
    method: call.method,
    path: `/minio/admin/v3/${call.name}`,
    ...(call.query === undefined ? {} : { query: call.query }),
    ...(body === undefined ? {} : { body }),
  });
};

/** As callAdmin, for a call whose answer is encrypted JSON. */
export const callAdminEncrypted = async (
  access: AdminAccess,
  call: AdminCall,
  signal: AbortSignal,
): Promise<unknown> =>
  JSON.parse((await decrypt(access.secretKey, await callAdmin(access, call, signal))).toString("utf8"));

/** Sends one signed request, for what neither the admin calls nor the `minio` package offer. */
export const send = async (
  access: AdminAccess,
  what: string,
  signal: AbortSignal,
  request: Omit<UnsignedRequest, "endpoint">,
): Promise<Buffer> => {
  const { url, headers } = sign({ ...request, endpoint: access.endpoint }, access, new Date());
  const response = await fetch(url, {
    method: request.method,
    headers,
    signal,
    redirect: "error",
    ...(request.body === undefined ? {} : { body: Buffer.from(request.body) }),
  });
  const answer = Buffer.from(await response.arrayBuffer());
  if (response.ok) return answer;
  const { code, message } = refusalOf(answer.toString("utf8"));
  throw new MinioError(what, response.status, code, message);
};

// The admin API refuses in JSON, the S3 side in XML; both name Code and Message.
const refusalOf = (body: string): { code: string; message: string } => {
  const field = (name: string): string | undefined =>
    new RegExp(`"${name}"\\s*:\\s*"([^"]*)"|<${name}>([^<]*)</${name}>`).exec(body)?.slice(1).find(Boolean);
  return { code: field("Code") ?? "Unknown", message: field("Message") ?? body.slice(0, 300) };
};
