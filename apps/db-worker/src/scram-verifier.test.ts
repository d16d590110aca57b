import assert from "node:assert/strict";
import { createHash, createHmac } from "node:crypto";
import { it } from "node:test";
import { scramVerifier } from "./scram-verifier.ts";

// The exchange of RFC 7677, section 3.
const password = "pencil";
const salt = Buffer.from("W22ZaJ0SNY7soEsUEjb6gQ==", "base64");
const signed =
  "n=user,r=rOprNGfwEbeRWgbNEkqO,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096,c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0";
const clientProof = Buffer.from("dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=", "base64");
const serverSignature = "6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=";

it("the verifier of a password proves the RFC's client and signs as its server", async () => {
  const [, iterations, saltText, stored, server] =
    /^SCRAM-SHA-256\$(\d+):([^$]+)\$([^:]+):(.+)$/.exec(await scramVerifier(password, salt)) ?? [];
  assert.equal(iterations, "4096");
  assert.equal(saltText, salt.toString("base64"));
  const storedKey = Buffer.from(stored ?? "", "base64");
  const signature = createHmac("sha256", storedKey).update(signed).digest();
  const clientKey = clientProof.map((byte, index) => byte ^ (signature[index] ?? 0));
  assert.deepEqual(createHash("sha256").update(clientKey).digest(), storedKey);
  const serverKey = Buffer.from(server ?? "", "base64");
  assert.equal(createHmac("sha256", serverKey).update(signed).digest("base64"), serverSignature);
});

it("two verifiers of one password differ: each has a salt of its own", async () => {
  assert.notEqual(await scramVerifier(password), await scramVerifier(password));
});
