/**
 * Whether a reader's schema can read what a writer's schema wrote (Avro specification, "Schema Resolution"), and from it
 * Confluent's seven compatibility levels.
 */
import type { AvroSchema, Field, Name, NamedNode, Node, Primitive } from "./avro-schema.ts";

export const levels = [
  "NONE",
  "BACKWARD",
  "BACKWARD_TRANSITIVE",
  "FORWARD",
  "FORWARD_TRANSITIVE",
  "FULL",
  "FULL_TRANSITIVE",
] as const;
export type Level = (typeof levels)[number];
export type Version = { version: number; schema: AvroSchema };

/** What makes `next` incompatible with the earlier versions (oldest first) under the level; nothing when it is compatible. */
export const incompatibilities = (level: Level, next: AvroSchema, earlier: readonly Version[]): string[] => {
  if (level === "NONE") return [];
  const compared = level.endsWith("_TRANSITIVE") ? earlier.toReversed() : earlier.slice(-1);
  for (const { version, schema } of compared) {
    const found = [
      ...(level.startsWith("FORWARD") ? [] : unreadable(next, schema)),
      ...(level.startsWith("BACKWARD") ? [] : unreadable(schema, next)),
    ];
    if (found.length > 0)
      return [
        ...found,
        `{oldSchemaVersion: ${version}}`,
        `{oldSchema: '${schema.canonical}'}`,
        `{compatibility: '${level}'}`,
      ];
  }
  return [];
};

type Side = AvroSchema;
type Walk = { reader: Side; writer: Side; under: Set<string> };
const promotions: Partial<Record<Primitive, readonly Primitive[]>> = {
  long: ["int"],
  float: ["int", "long"],
  double: ["int", "long", "float"],
  bytes: ["string"],
  string: ["bytes"],
};

/** Why the reader can't read what the writer wrote, as Confluent words it; nothing when it can. */
export const unreadable = (reader: AvroSchema, writer: AvroSchema): string[] =>
  resolve(reader.root, writer.root, { reader, writer, under: new Set() }, "/");

const resolve = (readerNode: Node, writerNode: Node, walk: Walk, at: string): string[] => {
  const reader = deref(readerNode, walk.reader);
  const writer = deref(writerNode, walk.writer);
  if (writer.kind === "union") return writer.branches.flatMap((branch) => resolve(reader, branch, walk, at));
  if (reader.kind === "union") {
    const fits = reader.branches.some((branch) => resolve(branch, writer, walk, at).length === 0);
    return fits
      ? []
      : [problem("MISSING_UNION_BRANCH", at, `reader union lacking writer type: ${label(writer)}`)];
  }
  if (reader.kind === "array" && writer.kind === "array")
    return resolve(reader.items, writer.items, walk, `${at}items/`);
  if (reader.kind === "map" && writer.kind === "map")
    return resolve(reader.values, writer.values, walk, `${at}values/`);
  if (reader.kind === "fixed" && writer.kind === "fixed") {
    const size =
      reader.size === writer.size
        ? []
        : [problem("FIXED_SIZE_MISMATCH", at, `${writer.size} became ${reader.size}`)];
    return [...names(reader, writer, at), ...size];
  }
  if (reader.kind === "enum" && writer.kind === "enum") {
    const lost =
      reader.default === undefined ? writer.symbols.filter((symbol) => !reader.symbols.includes(symbol)) : [];
    return [
      ...names(reader, writer, at),
      ...(lost.length > 0 ? [problem("MISSING_ENUM_SYMBOLS", at, lost.join(", "))] : []),
    ];
  }
  if (reader.kind === "record" && writer.kind === "record") return records(reader, writer, walk, at);
  if (reader.kind === "primitive" && writer.kind === "primitive") {
    if (reader.primitive === writer.primitive || promotions[reader.primitive]?.includes(writer.primitive))
      return [];
  }
  return [
    problem(
      "TYPE_MISMATCH",
      at,
      `reader type: ${label(reader)} not compatible with writer type: ${label(writer)}`,
    ),
  ];
};

type RecordNode = Extract<NamedNode, { kind: "record" }>;

const records = (reader: RecordNode, writer: RecordNode, walk: Walk, at: string): string[] => {
  const pair = `${reader.name.full} ${writer.name.full}`;
  if (walk.under.has(pair)) return []; // a record inside itself: it is being compared further up
  const under = new Set(walk.under).add(pair);
  return [
    ...names(reader, writer, at),
    ...reader.fields.flatMap((field, index) => {
      const path = `${at}fields/${index}`;
      const written = writtenFor(field, writer);
      if (written !== undefined)
        return resolve(field.type, written.type, { ...walk, under }, `${path}/type/`);
      if (field.hasDefault) return [];
      return [problem("READER_FIELD_MISSING_DEFAULT_VALUE", path, field.name)];
    }),
  ];
};

const writtenFor = (field: Field, writer: RecordNode): Field | undefined =>
  writer.fields.find((written) => written.name === field.name) ??
  writer.fields.find((written) => field.aliases.includes(written.name));

// Unqualified names decide, as in Avro's specification and Java library; an alias is compared with the writer's full name.
const names = (
  reader: { name: Name; aliases: readonly Name[] },
  writer: { name: Name },
  at: string,
): string[] =>
  reader.name.simple === writer.name.simple || reader.aliases.some((alias) => alias.full === writer.name.full)
    ? []
    : [problem("NAME_MISMATCH", `${at}name`, `expected: ${writer.name.full}`)];

const deref = (node: Node, side: Side): Exclude<Node, { kind: "reference" }> => {
  if (node.kind !== "reference") return node;
  const named = side.names.get(node.name.full);
  if (named === undefined) throw new Error(`${node.name.full} is not defined`); // parseSchema refuses such a schema
  return named;
};
const label = (node: Node): string => (node.kind === "primitive" ? node.primitive : node.kind).toUpperCase();
const problem = (type: string, at: string, info: string): string =>
  `{errorType:'${type}', description:'at path '${at}'', additionalInfo:'${info}'}`;
