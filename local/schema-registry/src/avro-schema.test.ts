/**
 * Expected texts: Avro's specification (https://avro.apache.org/docs/1.12.0/specification/, "Names", "Schema Record"), and
 * what Avro's Java library prints, in which Confluent stores schemas (Schema.java, `toJson` of each kind, apache/avro).
 */
import assert from "node:assert/strict";
import test from "node:test";
import { InvalidSchemaError, parseSchema } from "./avro-schema.ts";

const canonical = (schema: unknown): string =>
  parseSchema(typeof schema === "string" ? schema : JSON.stringify(schema)).canonical;

test("white space, key order and a primitive's long form do not make another schema", () => {
  assert.equal(canonical('{   "type":   "string"}'), '"string"');
  assert.equal(
    canonical('{"fields": [{"type": {"type": "int"}, "name": "f"}], "name": "r", "type": "record"}'),
    '{"type":"record","name":"r","fields":[{"name":"f","type":"int"}]}',
  );
});

test("doc, default, order, aliases and properties of one's own are kept, in Avro's order", () => {
  assert.equal(
    canonical({
      aliases: ["old.R"],
      owner: "us",
      type: "record",
      doc: "d",
      namespace: "a.b",
      name: "R",
      fields: [
        { aliases: ["g"], order: "ignore", default: null, doc: "fd", type: ["null", "string"], name: "f" },
        { order: "ascending", type: { logicalType: "timestamp-millis", type: "long" }, name: "t" },
      ],
    }),
    '{"type":"record","name":"R","namespace":"a.b","doc":"d","fields":[' +
      '{"name":"f","type":["null","string"],"doc":"fd","default":null,"order":"ignore","aliases":["g"]},' +
      '{"name":"t","type":{"type":"long","logicalType":"timestamp-millis"}}],"owner":"us","aliases":["old.R"]}',
  );
});

test("names are written relative to the namespace around them, whichever way they were said", () => {
  const said = (inner: string, again: string) => ({
    type: "record",
    name: "a.b.R",
    fields: [
      { name: "e", type: { type: "enum", name: inner, symbols: ["A"], default: "A" } },
      { name: "again", type: again },
      { name: "more", type: { type: "map", values: "a.b.R" } },
    ],
  });
  const expected =
    '{"type":"record","name":"R","namespace":"a.b","fields":[{"name":"e","type":{"type":"enum","name":"E","symbols":["A"],"default":"A"}},' +
    '{"name":"again","type":"E"},{"name":"more","type":{"type":"map","values":"R"}}]}';
  assert.equal(canonical(said("a.b.E", "a.b.E")), expected);
  assert.equal(canonical(said("E", "E")), expected);
});

test("what is no schema is refused", () => {
  for (const wrong of [
    "{",
    '{"type":"record","name":"r","fields":[{"name":"f","type":"str"}]}',
    '{"type":"record","name":"r","fields":[{"name":"f","type":"string","default":null}]}',
    '{"type":"record","name":"r"}',
    '{"type":"enum","name":"e","symbols":["not ok"]}',
    '{"type":"record","fields":[]}',
  ])
    assert.throws(() => parseSchema(wrong), InvalidSchemaError, wrong);
});
