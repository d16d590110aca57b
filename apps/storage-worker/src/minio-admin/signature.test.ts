import assert from "node:assert/strict";
import { test } from "node:test";
import { sign } from "./signature.ts";

// Example "GET Object" of Amazon's "Signature Calculations for the Authorization Header" (Signature Version 4, S3).
const example = { accessKey: "AKIAIOSFODNN7EXAMPLE", secretKey: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY" };
const sentAt = new Date("2013-05-24T00:00:00Z");
const endpoint = "https://examplebucket.s3.amazonaws.com";

test("a request is signed as in Amazon's own example", () => {
  const { url, headers } = sign(
    { method: "GET", endpoint, path: "/test.txt", headers: { range: "bytes=0-9" } },
    example,
    sentAt,
  );
  assert.equal(url, `${endpoint}/test.txt`);
  assert.equal(
    headers.authorization,
    "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request, SignedHeaders=host;range;x-amz-content-sha256;x-amz-date, Signature=f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41",
  );
});

test("query parameters are signed in order: Amazon's example of a listing", () => {
  const { url, headers } = sign(
    { method: "GET", endpoint, path: "/", query: { prefix: "J", "max-keys": "2" } },
    example,
    sentAt,
  );
  assert.equal(url, `${endpoint}/?max-keys=2&prefix=J`);
  assert.match(
    headers.authorization ?? "",
    /Signature=34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7$/,
  );
});

test("what is reserved in a query is escaped, and the address is the one that was signed", () => {
  const { url } = sign(
    { method: "GET", endpoint, path: "/a b", query: { name: "a/b c!*" } },
    example,
    sentAt,
  );
  assert.equal(url, `${endpoint}/a%20b?name=a%2Fb%20c%21%2A`);
});
