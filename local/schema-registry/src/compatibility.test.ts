/**
 * Expected answers: "Schema Resolution" of Avro's specification (https://avro.apache.org/docs/1.12.0/specification/#schema-resolution),
 * and Confluent's own cases for each level: AvroCompatibilityTest.java in confluentinc/schema-registry (commit 794611bd),
 * whose methods the tests' comments name, in the words of
 * https://docs.confluent.io/platform/7.8/schema-registry/fundamentals/schema-evolution.html ("Compatibility types").
 */
import assert from "node:assert/strict";
import test from "node:test";
import { parseSchema } from "./avro-schema.ts";
import { incompatibilities, type Level, unreadable } from "./compatibility.ts";

const record = (...fields: object[]): object => ({ type: "record", name: "r", fields });
const text = { type: "string" };
const f1 = { name: "f1", ...text };
const f2 = { name: "f2", ...text };
const f2Default = { ...f2, default: "foo" };
const f3Default = { name: "f3", ...text, default: "bar" };

const one = record(f1);
const oneTwoDefault = record(f1, f2Default);
const oneTwo = record(f1, f2);
const three = record(f1, f2Default, f3Default);

const schema = (json: unknown) => parseSchema(JSON.stringify(json));
const ok = (level: Level, next: object, ...earlier: object[]): boolean =>
  incompatibilities(
    level,
    schema(next),
    earlier.map((json, index) => ({ version: index + 1, schema: schema(json) })),
  ).length === 0;
const reads = (reader: unknown, writer: unknown): boolean =>
  unreadable(schema(reader), schema(writer)).length === 0;

test("BACKWARD: the new schema reads what the latest wrote", () => {
  // testBasicBackwardsCompatibility
  const union = (...types: string[]) => record({ name: "f1", type: types });
  assert.equal(ok("BACKWARD", oneTwoDefault, one), true, "a field added with a default");
  assert.equal(ok("BACKWARD", oneTwo, one), false, "a field added without one");
  assert.equal(
    ok("BACKWARD", record({ name: "new", ...text, aliases: ["f1"] }), one),
    true,
    "renamed with an alias",
  );
  assert.equal(ok("BACKWARD", union("null", "string"), one), true, "a type that became a union with it");
  assert.equal(ok("BACKWARD", one, union("null", "string")), false, "a union that lost a type");
  assert.equal(
    ok("BACKWARD", union("null", "string", "int"), union("null", "string")),
    true,
    "a union that grew",
  );
  assert.equal(
    ok("BACKWARD", union("null", "string"), union("null", "string", "int")),
    false,
    "a union that shrank",
  );
  assert.equal(ok("BACKWARD", oneTwo, one, oneTwoDefault), true, "only the latest counts");
});

test("BACKWARD_TRANSITIVE: the new schema reads what every version wrote", () => {
  // testBasicBackwardsTransitiveCompatibility
  assert.equal(ok("BACKWARD_TRANSITIVE", three, one, oneTwoDefault), true);
  assert.equal(ok("BACKWARD_TRANSITIVE", oneTwo, oneTwoDefault), true);
  assert.equal(ok("BACKWARD_TRANSITIVE", oneTwo, one, oneTwoDefault), false);
});

test("FORWARD: the latest schema reads what the new one writes", () => {
  // testBasicForwardsCompatibility
  assert.equal(ok("FORWARD", oneTwo, one), true, "a field added, with or without a default");
  assert.equal(ok("FORWARD", one, oneTwo), false, "a field removed that had no default");
  assert.equal(ok("FORWARD", one, oneTwo, oneTwoDefault), true, "only the latest counts");
});

test("FORWARD_TRANSITIVE: every version reads what the new one writes", () => {
  // testBasicForwardsTransitiveCompatibility
  assert.equal(ok("FORWARD_TRANSITIVE", one, three, oneTwoDefault), true);
  assert.equal(ok("FORWARD_TRANSITIVE", one, oneTwo, oneTwoDefault), false);
});

test("FULL and FULL_TRANSITIVE: both ways, with the latest or with all", () => {
  // testBasicFullCompatibility, testBasicFullTransitiveCompatibility
  assert.equal(ok("FULL", oneTwoDefault, one), true);
  assert.equal(ok("FULL", oneTwo, one, oneTwoDefault), true, "only the latest counts");
  assert.equal(ok("FULL_TRANSITIVE", three, one, oneTwoDefault), true);
  assert.equal(ok("FULL_TRANSITIVE", oneTwo, oneTwoDefault), true);
  assert.equal(ok("FULL_TRANSITIVE", oneTwo, one, oneTwoDefault), false);
  assert.equal(ok("FULL_TRANSITIVE", one, oneTwo, oneTwoDefault), false);
});

test("NONE compares nothing", () => {
  assert.equal(ok("NONE", record({ name: "other", type: "int" }), one), true);
});

test("resolution: numbers are promoted upwards only, string and bytes both ways", () => {
  // Specification: "the writer's schema may be promoted to the reader's"
  const order = ["int", "long", "float", "double"];
  for (const [to, reader] of order.entries())
    for (const [from, writer] of order.entries())
      assert.equal(reads(reader, writer), from <= to, `${writer} to ${reader}`);
  assert.equal(reads("string", "bytes"), true);
  assert.equal(reads("bytes", "string"), true);
  assert.equal(reads("boolean", "int"), false);
});

test("resolution: an enum may lose symbols only when it has a default", () => {
  // Specification: "if the writer's symbol is not present in the reader's enum and the reader has a default value, then ..."
  const letters = (symbols: string[], more = {}) => ({ type: "enum", name: "e", symbols, ...more });
  assert.equal(reads(letters(["A", "B", "C"]), letters(["A", "B"])), true);
  assert.equal(reads(letters(["A"]), letters(["A", "B"])), false);
  assert.equal(reads(letters(["A"], { default: "A" }), letters(["A", "B"])), true);
});

test("resolution: names, sizes, items and values must match", () => {
  const fixed = (name: string, size: number) => ({ type: "fixed", name, size });
  assert.equal(reads(fixed("a", 4), fixed("a", 4)), true);
  assert.equal(reads(fixed("a", 4), fixed("a", 8)), false);
  assert.equal(reads(fixed("b", 4), fixed("a", 4)), false);
  assert.equal(reads({ ...fixed("b", 4), aliases: ["a"] }, fixed("a", 4)), true);
  assert.equal(reads(fixed("x.a", 4), fixed("y.a", 4)), true, "the unqualified name decides");
  assert.equal(reads({ type: "array", items: "long" }, { type: "array", items: "int" }), true);
  assert.equal(reads({ type: "map", values: "int" }, { type: "map", values: "long" }), false);
});

test("resolution: a reader's union takes a branch that fits wholly, and every branch of a writer's union must be read", () => {
  const withA = record({ name: "a", type: "string" });
  assert.equal(reads(["null", oneTwo], one), false, "a record of that name is not enough");
  assert.equal(reads(["null", oneTwoDefault], one), true);
  assert.equal(reads("string", ["string", "bytes"]), true);
  assert.equal(reads(["null", "string"], ["null", withA]), false);
});

test("resolution: a record inside itself ends, and its changes are found", () => {
  const list = (...more: object[]) => ({
    type: "record",
    name: "node",
    fields: [{ name: "next", type: ["null", "node"] }, ...more],
  });
  assert.equal(reads(list(f2Default), list()), true);
  assert.equal(reads(list(f2), list()), false);
});
