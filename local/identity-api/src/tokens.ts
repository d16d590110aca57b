/** Access tokens: JWTs signed with RS256, and the public key that proves them. */
import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPair,
  type JsonWebKey,
  type KeyObject,
  randomUUID,
  sign,
} from "node:crypto";
import { promisify } from "node:util";

export const lifetimeSeconds = 3_600;
export const audience = "deeplens-api";
export type Claims = Readonly<Record<string, string | number | boolean | readonly string[]>>;
export type TokenSigner = { jwk: JsonWebKey; issue(claims: Claims, now: Date): string };

/** A new private key as PEM. */
export const makeKey = async (): Promise<string> => {
  const { privateKey } = await promisify(generateKeyPair)("rsa", { modulusLength: 2048 });
  return privateKey.export({ type: "pkcs8", format: "pem" }).toString();
};

/** Signs with the key; its id is the key's thumbprint (RFC 7638). */
export const createSigner = (pem: string, issuer: string): TokenSigner => {
  const key = createPrivateKey(pem);
  const { e, kty, n } = createPublicKey(key).export({ format: "jwk" });
  const kid = createHash("sha256").update(JSON.stringify({ e, kty, n })).digest("base64url");
  return {
    jwk: { kty, use: "sig", kid, alg: "RS256", e, n } as JsonWebKey,
    issue: (claims, now) => {
      const seconds = Math.floor(now.getTime() / 1000);
      const times = { nbf: seconds, iat: seconds, exp: seconds + lifetimeSeconds };
      return encode(
        { alg: "RS256", kid, typ: "at+jwt" },
        { iss: issuer, ...times, aud: audience, jti: randomUUID(), ...claims },
        key,
      );
    },
  };
};

const encode = (header: object, payload: object, key: KeyObject): string => {
  const text = [header, payload]
    .map((part) => Buffer.from(JSON.stringify(part)).toString("base64url"))
    .join(".");
  return `${text}.${sign("sha256", Buffer.from(text), key).toString("base64url")}`;
};
