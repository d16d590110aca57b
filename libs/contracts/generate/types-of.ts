export type AvroType =
  | string
  | AvroType[]
  | AvroRecord
  | { type: "array"; items: AvroType }
  | { type: "map"; values: AvroType };

export interface AvroRecord {
  type: "record";
  name: string;
  doc?: string;
  fields: { name: string; type: AvroType; doc?: string; default?: unknown }[];
}

const primitives: Record<string, string> = {
  string: "string",
  int: "number",
  long: "number",
  double: "number",
  boolean: "boolean",
  null: "null",
};

/** TypeScript declarations of these records and of the ones inside them, each once. */
export const typesOf = (records: AvroRecord[]): string => {
  const declared = new Map<string, string>();
  for (const record of records) declare(record, declared);
  const head = "// Generated from src/schemas/*.avsc by `npm run generate`; do not edit.\n";
  return `${head}\n${[...declared.values()].join("\n")}`;
};

const declare = (record: AvroRecord, declared: Map<string, string>): void => {
  const lines = record.fields.map((field) => {
    const type = typeOf(field.type, declared);
    return `${field.doc ? `  /** ${field.doc} */\n` : ""}  readonly ${field.name}: ${type};`;
  });
  const text = `${record.doc ? `/** ${record.doc} */\n` : ""}export interface ${record.name} {\n${lines.join("\n")}\n}\n`;
  const earlier = declared.get(record.name);
  if (earlier !== undefined && earlier !== text) throw new Error(`two schemas disagree on ${record.name}`);
  declared.set(record.name, text);
};

const typeOf = (type: AvroType, declared: Map<string, string>): string => {
  if (typeof type === "string") {
    const primitive = primitives[type];
    if (primitive === undefined) throw new Error(`no TypeScript type for ${type}`);
    return primitive;
  }
  if (Array.isArray(type)) return type.map((one) => typeOf(one, declared)).join(" | ");
  switch (type.type) {
    case "record":
      declare(type, declared);
      return type.name;
    case "array":
      return `readonly ${typeOf(type.items, declared)}[]`;
    case "map":
      return `{ readonly [key: string]: ${typeOf(type.values, declared)} }`;
  }
};
