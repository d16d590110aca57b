import assert from "node:assert/strict";
import { test } from "node:test";
import { passwordOf, pgpassText } from "./pgpass.ts";

const entry = { host: "postgres", port: 5432, database: "d", user: "u" };

test("a password survives the file, with colons and backslashes in it", () => {
  for (const password of ["plain", "a:b", "a\\b", "\\:", "::\\\\", "é ü"])
    assert.equal(passwordOf(pgpassText({ ...entry, password })), password);
  assert.equal(pgpassText({ ...entry, password: "a:b\\c" }), "postgres:5432:d:u:a\\:b\\\\c\n");
});

test("a line end in a field is refused, and so is a file that has not the five fields; neither says what was in it", () => {
  assert.throws(() => pgpassText({ ...entry, password: "hush\nhush" }), /^Error: (?!.*hush)/);
  assert.throws(() => passwordOf("postgres:5432:hush\n"), /^Error: (?!.*hush)/);
  assert.throws(() => passwordOf(""), Error);
});
