/**
 * An Avro schema as a tree, read from its JSON and printed in the one form that Confluent stores: no white space, keys in
 * the order of Avro's Java library, names relative to the enclosing namespace. Two texts of one schema print alike, so
 * that registering either of them gives the same id, here and in a real registry that takes the topic over.
 */
import avro from "avsc";

const primitives = ["null", "boolean", "int", "long", "float", "double", "bytes", "string"] as const;
export type Primitive = (typeof primitives)[number];
type Json = null | boolean | number | string | Json[] | { [key: string]: Json };
type JsonObject = { [key: string]: Json };

export type Name = { simple: string; namespace: string | undefined; full: string };
export type Field = {
  name: string;
  type: Node;
  hasDefault: boolean;
  aliases: readonly string[];
  json: JsonObject;
};
type Named = { name: Name; aliases: readonly Name[]; json: JsonObject };
export type NamedNode =
  | ({ kind: "record"; fields: Field[]; isError: boolean } & Named)
  | ({ kind: "enum"; symbols: readonly string[]; default: string | undefined } & Named)
  | ({ kind: "fixed"; size: number } & Named);
export type Node =
  | { kind: "primitive"; primitive: Primitive; json: JsonObject }
  | { kind: "array"; items: Node; json: JsonObject }
  | { kind: "map"; values: Node; json: JsonObject }
  | { kind: "union"; branches: readonly Node[] }
  | { kind: "reference"; name: Name }
  | NamedNode;

/** A parsed schema: its tree, its named types by full name, and the text under which it is stored. */
export type AvroSchema = { root: Node; names: ReadonlyMap<string, NamedNode>; canonical: string };

/** The text is no Avro schema: bad JSON, an unknown type, a default of the wrong type. */
export class InvalidSchemaError extends Error {}

/** Parses a schema's JSON text. Throws InvalidSchemaError. */
export const parseSchema = (text: string): AvroSchema => {
  const names = new Map<string, NamedNode>();
  try {
    const json = JSON.parse(text) as Json;
    const root = read(json, undefined, names);
    // avsc checks what this reader takes on trust: names, symbols, and that each default is of its field's type.
    avro.Type.forSchema(json as avro.Schema);
    return { root, names, canonical: JSON.stringify(print(root, undefined)) };
  } catch (error) {
    throw new InvalidSchemaError(error instanceof Error ? error.message : String(error));
  }
};

const read = (json: Json, namespace: string | undefined, names: Map<string, NamedNode>): Node => {
  if (typeof json === "string") return readName(json, namespace, names);
  if (Array.isArray(json))
    return { kind: "union", branches: json.map((branch) => read(branch, namespace, names)) };
  if (json === null || typeof json !== "object") throw new Error(`No type: ${JSON.stringify(json)}`);
  const type = json.type;
  switch (type) {
    case "array":
      return { kind: "array", items: read(json.items ?? null, namespace, names), json };
    case "map":
      return { kind: "map", values: read(json.values ?? null, namespace, names), json };
    case "record":
    case "error":
    case "enum":
    case "fixed":
      return readNamed(type, json, namespace, names);
    default:
      if (isPrimitive(type)) return { kind: "primitive", primitive: type, json };
      return read(type ?? null, namespace, names);
  }
};

const readName = (text: string, namespace: string | undefined, names: Map<string, NamedNode>): Node => {
  if (isPrimitive(text)) return { kind: "primitive", primitive: text, json: {} };
  const name = names.has(qualify(text, namespace).full) ? qualify(text, namespace) : qualify(text, undefined);
  if (!names.has(name.full))
    throw new Error(
      `"${text}" is not a defined name. The type of a field must be a defined name or a {"type": ...} expression.`,
    );
  return { kind: "reference", name };
};

const readNamed = (
  kind: "record" | "error" | "enum" | "fixed",
  json: JsonObject,
  enclosing: string | undefined,
  names: Map<string, NamedNode>,
): Node => {
  const name = qualify(text(json, "name"), typeof json.namespace === "string" ? json.namespace : enclosing);
  if (names.has(name.full)) throw new Error(`Can't redefine: ${name.full}`);
  const named = {
    name,
    aliases: texts(json.aliases).map((alias) => qualify(alias, name.namespace)),
    json,
  };
  if (kind === "enum") {
    const node: NamedNode = {
      kind,
      symbols: texts(json.symbols),
      default: optionalText(json.default),
      ...named,
    };
    names.set(name.full, node);
    return node;
  }
  if (kind === "fixed") {
    const node: NamedNode = { kind, size: Number(json.size), ...named };
    names.set(name.full, node);
    return node;
  }
  const node: NamedNode = { kind: "record", isError: kind === "error", fields: [], ...named };
  names.set(name.full, node); // before its fields: a record may contain itself
  if (!Array.isArray(json.fields)) throw new Error(`Record ${name.full} has no fields`);
  node.fields = json.fields.map((field) => readField(field, name.namespace, names));
  return node;
};

const readField = (json: Json, namespace: string | undefined, names: Map<string, NamedNode>): Field => {
  if (json === null || typeof json !== "object" || Array.isArray(json))
    throw new Error(`No field: ${JSON.stringify(json)}`);
  const type = read(json.type ?? null, namespace, names);
  return {
    name: text(json, "name"),
    type,
    hasDefault: "default" in json,
    aliases: texts(json.aliases),
    json,
  };
};

const print = (node: Node, namespace: string | undefined): Json => {
  switch (node.kind) {
    case "primitive": {
      const properties = propertiesOf(node.json, []);
      return Object.keys(properties).length === 0 ? node.primitive : { type: node.primitive, ...properties };
    }
    case "array":
      return { type: "array", items: print(node.items, namespace), ...propertiesOf(node.json, []) };
    case "map":
      return { type: "map", values: print(node.values, namespace), ...propertiesOf(node.json, []) };
    case "union":
      return node.branches.map((branch) => print(branch, namespace));
    case "reference":
      return relative(node.name, namespace);
    case "record":
      return printNamed(node, node.isError ? "error" : "record", namespace, {
        fields: node.fields.map((field) => printField(field, node.name.namespace)),
      });
    case "enum":
      return printNamed(node, "enum", namespace, {
        symbols: [...node.symbols],
        ...(node.default === undefined ? {} : { default: node.default }),
      });
    case "fixed":
      return printNamed(node, "fixed", namespace, { size: node.size });
    default:
      return unreachable(node);
  }
};

const printNamed = (
  node: Named,
  type: string,
  enclosing: string | undefined,
  body: JsonObject,
): JsonObject => ({
  type,
  name: node.name.simple,
  ...(node.name.namespace === enclosing ? {} : { namespace: node.name.namespace ?? "" }),
  ...(typeof node.json.doc === "string" ? { doc: node.json.doc } : {}),
  ...body,
  ...propertiesOf(node.json, type === "enum" ? ["default"] : []),
  ...(node.aliases.length === 0
    ? {}
    : { aliases: node.aliases.map((alias) => relative(alias, node.name.namespace)) }),
});

const printField = (field: Field, namespace: string | undefined): JsonObject => {
  const order = optionalText(field.json.order);
  return {
    name: field.name,
    type: print(field.type, namespace),
    ...(typeof field.json.doc === "string" ? { doc: field.json.doc } : {}),
    ...(field.hasDefault ? { default: field.json.default ?? null } : {}),
    ...(order === undefined || order === "ascending" ? {} : { order }),
    ...(field.aliases.length === 0 ? {} : { aliases: [...field.aliases] }),
    ...without(field.json, ["default", "doc", "name", "order", "type", "aliases"]),
  };
};

const reserved = [
  "doc",
  "fields",
  "items",
  "name",
  "namespace",
  "size",
  "symbols",
  "values",
  "type",
  "aliases",
];
const propertiesOf = (json: JsonObject, more: readonly string[]): JsonObject =>
  without(json, [...reserved, ...more]);
const without = (json: JsonObject, keys: readonly string[]): JsonObject =>
  Object.fromEntries(Object.entries(json).filter(([key]) => !keys.includes(key)));

const qualify = (name: string, namespace: string | undefined): Name => {
  const dot = name.lastIndexOf(".");
  const simple = dot < 0 ? name : name.slice(dot + 1);
  const space = (dot < 0 ? namespace : name.slice(0, dot)) || undefined;
  return { simple, namespace: space, full: space === undefined ? simple : `${space}.${simple}` };
};
const relative = (name: Name, namespace: string | undefined): string =>
  name.namespace !== undefined && name.namespace === namespace && !isTypeWord(name.simple)
    ? name.simple
    : name.full;

const isPrimitive = (value: Json | undefined): value is Primitive => primitives.includes(value as Primitive);
const isTypeWord = (word: string): boolean =>
  isPrimitive(word) || ["record", "enum", "array", "map", "union", "fixed"].includes(word);
const text = (json: JsonObject, key: string): string => {
  const value = json[key];
  if (typeof value !== "string" || value === "")
    throw new Error(`No ${key} in schema: ${JSON.stringify(json)}`);
  return value;
};
const texts = (value: Json | undefined): string[] =>
  Array.isArray(value) ? value.filter((item): item is string => typeof item === "string") : [];
const optionalText = (value: Json | undefined): string | undefined =>
  typeof value === "string" ? value : undefined;
const unreachable = (value: never): never => {
  throw new Error(`No such kind: ${JSON.stringify(value)}`);
};
