import { createHash, createHmac, pbkdf2, randomBytes } from "node:crypto";
import { promisify } from "node:util";

const derive = promisify(pbkdf2);
const iterations = 4_096;

/**
 * What Postgres stores in place of a password (SCRAM-SHA-256, RFC 5802 and 7677). CREATE and ALTER ROLE take it as it
 * is, so that the password stands in no statement and therefore in no log of the server.
 */
export const scramVerifier = async (password: string, salt: Buffer = randomBytes(16)): Promise<string> => {
  const salted = await derive(password, salt, iterations, 32, "sha256");
  const hmac = (key: Buffer, text: string): Buffer => createHmac("sha256", key).update(text).digest();
  const storedKey = createHash("sha256").update(hmac(salted, "Client Key")).digest();
  const serverKey = hmac(salted, "Server Key");
  const base64 = (bytes: Buffer): string => bytes.toString("base64");
  return `SCRAM-SHA-256$${iterations}:${base64(salt)}$${base64(storedKey)}:${base64(serverKey)}`;
};
