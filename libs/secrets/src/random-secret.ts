import { randomBytes } from "node:crypto";

/** 32 random bytes as base64url: 256 bits in 43 characters that need no quoting anywhere. */
export const randomSecret = (): string => randomBytes(32).toString("base64url");
