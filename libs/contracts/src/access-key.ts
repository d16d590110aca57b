import { base32, sha256 } from "./digests.ts";
import type { Login } from "./names.ts";
import type { TenantId } from "./tenant-id.ts";

/** A MinIO access key (20 characters) that follows from its owner, so that no crash can make a second one. */
export const accessKey = (
  tenantId: TenantId,
  purpose: "user" | "service-account",
  login: Login = 1,
): string => base32(sha256(tenantId, `${purpose}${login === 1 ? "" : "2"}`)).slice(0, 20);
