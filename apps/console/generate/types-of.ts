/** TypeScript types of an OpenAPI 3.1 document whose schemas zod wrote: what of JSON Schema it uses, and no more. */

export interface JsonSchema {
  readonly type?: string | readonly string[];
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly anyOf?: readonly JsonSchema[];
  readonly oneOf?: readonly JsonSchema[];
  readonly allOf?: readonly JsonSchema[];
  readonly items?: JsonSchema;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: boolean | JsonSchema;
  readonly description?: string;
}

interface Parameter {
  readonly name: string;
  readonly in: string;
  readonly required?: boolean;
  readonly schema: JsonSchema;
}

interface Content {
  readonly content?: Readonly<Record<string, { readonly schema?: JsonSchema }>>;
}

interface Operation {
  readonly summary?: string;
  readonly parameters?: readonly Parameter[];
  readonly requestBody?: Content;
  readonly responses: Readonly<Record<string, Content>>;
}

export interface Document {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
}

const methods = ["get", "post", "put", "patch", "delete"];

/** The text of a module with one type, `Operations`: by method and path, what a call takes and what it answers. */
export const typesOf = ({ paths }: Document): string => {
  const operations = Object.entries(paths).flatMap(([path, item]) =>
    methods.flatMap((method) => {
      const operation = item[method];
      return operation === undefined ? [] : [operationType(`${method.toUpperCase()} ${path}`, operation)];
    }),
  );
  return [
    "// Written by `npm run generate` from docs/openapi.json: change the schemas of the API instead.",
    "",
    "export interface Operations {",
    ...operations,
    "}",
    "",
  ].join("\n");
};

const operationType = (name: string, { summary, parameters = [], requestBody, responses }: Operation) => {
  const parametersIn = (place: string) => parameters.filter((parameter) => parameter.in === place);
  const good = Object.entries(responses).filter(([status]) => status.startsWith("2"));
  const answers = [...new Set(good.map(([, response]) => contentType(response)))];
  return [
    `  /** ${summary ?? name} */`,
    `  ${JSON.stringify(name)}: {`,
    `    path: ${parametersType(parametersIn("path"))};`,
    `    query: ${parametersType(parametersIn("query"))};`,
    `    body: ${requestBody === undefined ? "undefined" : contentType(requestBody)};`,
    `    answer: ${answers.length === 0 ? "undefined" : answers.join(" | ")};`,
    "  };",
  ].join("\n");
};

const contentType = ({ content }: Content): string => {
  const schema = Object.values(content ?? {})[0]?.schema;
  return schema === undefined ? "undefined" : typeOf(schema, "    ");
};

const parametersType = (parameters: readonly Parameter[]): string =>
  parameters.length === 0
    ? "Record<never, never>"
    : `{ ${parameters
        .map(
          ({ name, required, schema }) =>
            `${key(name)}${required === true ? "" : "?"}: ${typeOf(schema, "")}`,
        )
        .join("; ")} }`;

/** @throws where the schema has something that this does not know: a type that says too little would hide it */
export const typeOf = (schema: JsonSchema, indent: string): string => {
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (schema.enum !== undefined) return schema.enum.map((one) => JSON.stringify(one)).join(" | ");
  const choices = schema.anyOf ?? schema.oneOf;
  if (choices !== undefined) return [...new Set(choices.map((one) => typeOf(one, indent)))].join(" | ");
  if (schema.allOf !== undefined) return schema.allOf.map((one) => `(${typeOf(one, indent)})`).join(" & ");
  const { type } = schema;
  if (typeof type === "object")
    return type.map((one) => typeOf({ ...schema, type: one }, indent)).join(" | ");
  switch (type) {
    case "string":
    case "boolean":
    case "null":
      return type;
    case "integer":
    case "number":
      return "number";
    case "array":
      return `readonly ${bracketed(typeOf(schema.items ?? {}, indent))}[]`;
    case "object":
      return objectType(schema, indent);
    case undefined:
      return "unknown";
    default:
      throw new Error(`a schema of the type ${type} has no TypeScript type here yet`);
  }
};

const objectType = (schema: JsonSchema, indent: string): string => {
  const properties = Object.entries(schema.properties ?? {});
  if (properties.length === 0) {
    const values = schema.additionalProperties;
    return typeof values === "object"
      ? `Readonly<Record<string, ${typeOf(values, indent)}>>`
      : "Record<never, never>";
  }
  const inner = `${indent}  `;
  const lines = properties.flatMap(([name, value]) => [
    ...(value.description === undefined
      ? []
      : [`${inner}/** ${value.description.replaceAll("*/", "* /")} */`]),
    `${inner}readonly ${key(name)}${schema.required?.includes(name) === true ? "" : "?"}: ${typeOf(value, inner)};`,
  ]);
  return ["{", ...lines, `${indent}}`].join("\n");
};

const bracketed = (type: string): string => (/^[\w.]+$/.test(type) ? type : `(${type})`);
const key = (name: string): string => (/^[A-Za-z_$][\w$]*$/.test(name) ? name : JSON.stringify(name));
