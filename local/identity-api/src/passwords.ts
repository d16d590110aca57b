/** Passwords are kept as scrypt hashes: `scrypt$<N>$<salt>$<hash>`, base64. */
import { randomBytes, type ScryptOptions, scrypt, timingSafeEqual } from "node:crypto";

/** scrypt's N: what one guess costs. */
export const defaultCost = 16_384;
const derive = (password: string, salt: Buffer, options: ScryptOptions): Promise<Buffer> =>
  new Promise((resolve, reject) => {
    scrypt(password, salt, 32, options, (error, key) => (error ? reject(error) : resolve(key)));
  });

/** The hash to keep. */
export const hashPassword = async (password: string, cost = defaultCost): Promise<string> => {
  const salt = randomBytes(16);
  const key = await derive(password, salt, { N: cost });
  return `scrypt$${cost}$${salt.toString("base64")}$${key.toString("base64")}`;
};

/** Whether the password is the one that was hashed. */
export const isPassword = async (password: string, hash: string): Promise<boolean> => {
  const [, n, salt, key] = hash.split("$");
  if (n === undefined || salt === undefined || key === undefined) return false;
  const expected = Buffer.from(key, "base64");
  return timingSafeEqual(await derive(password, Buffer.from(salt, "base64"), { N: Number(n) }), expected);
};
