import { fullNameOf, type RecordName, recordNames } from "../src/schemas.ts";
import { stepNames } from "../src/steps.ts";
import { commandsTopic, type Topic, topicsOf } from "../src/topics.ts";
import type { AvroRecord, AvroType } from "./types-of.ts";

/** docs/messages.md: the topics and the records on them, from the topics and schemas themselves. */
export const messagesPage = (schemaOf: (record: RecordName) => AvroRecord): string =>
  [
    "<!-- Generated from libs/contracts by `npm run generate`; do not edit. -->",
    "# Messages",
    "",
    introduction,
    "",
    "## Topics",
    "",
    "Names stand without the installation's prefix (`deeplens.` unless configured).",
    "",
    "| topic | records | written by | read by | kept |",
    "|---|---|---|---|---|",
    ...topicsOf().map(topicRow),
    "",
    "## Records",
    "",
    `Namespace \`${fullNameOf(recordNames[0]).replace(/\.[^.]+$/, "")}\`. The schemas are in [libs/contracts/src/schemas](../libs/contracts/src/schemas).`,
    "",
    ...recordNames.flatMap((record) => recordText(schemaOf(record))),
  ].join("\n");

const introduction = [
  "Avro in Confluent's wire format: byte 0, the schema's id in 4 bytes, the record. Subjects in the registry are",
  "`<topic>-<record's full name>`, compatibility FULL_TRANSITIVE. The key is the tenant's slug. Headers: `ce_id`, `ce_type`,",
  "`ce_source`, `ce_specversion`; on commands and replies also `deeplens_saga`, `deeplens_step`, `deeplens_fence` and",
  "`deeplens_tenant`. On a dead letter, which is the record as it was: `dlq_topic`, `dlq_partition`, `dlq_offset`, `dlq_code` and",
  "`dlq_reason` beside its own. No message holds a secret; what ends in `Ref` names one in the secret store.",
  "",
  "Every request is answered by a lifecycle event, but one: a request id that was used before with other content",
  "(`request-id-reused`) would be answered by another request's event, so that record is a dead letter, on whichever partition it",
  "came in; the API's caller is told with 409. `fence` and `revision` are at least the time in ms when they were given.",
].join("\n");

const topicRow = (topic: Topic): string => {
  const records =
    topic.records === "as they were" ? "the source's, as they were" : topic.records.map(linkTo).join(", ");
  const kept =
    topic.retention.policy === "compact" ? "the latest of each key" : `${topic.retention.days} days`;
  return `| \`${topic.suffix}\` | ${records} | ${topic.writer.join(", ")} | ${topic.readers.join(", ")} | ${kept} |`;
};

const linkTo = (record: RecordName): string => `[${record}](#${record.toLowerCase()})`;

const recordText = (record: AvroRecord): string[] => [
  `### ${record.name}`,
  "",
  ...(record.doc === undefined ? [] : [record.doc, ""]),
  `On ${topicsWith(record.name).join(", ")}.`,
  "",
  ...fieldTable(record),
  ...nestedIn(record).flatMap((nested) => [
    `\`${nested.name}\`:${nested.doc ? ` ${nested.doc}` : ""}`,
    "",
    ...fieldTable(nested),
  ]),
];

const topicsWith = (record: string): string[] => {
  const commands = stepNames.map((step) => commandsTopic(step).suffix);
  const names = topicsOf()
    .filter(({ records }) => records !== "as they were" && records.some((one) => one === record))
    .map(({ suffix }) => suffix);
  return names.every((name) => commands.includes(name))
    ? ["`tenants.commands.<step>`"]
    : names.map((name) => `\`${name}\``);
};

const fieldTable = (record: AvroRecord): string[] => [
  "| field | type | meaning |",
  "|---|---|---|",
  ...record.fields.map((field) => {
    const fallback = field.default === undefined ? "" : ` Default: \`${JSON.stringify(field.default)}\`.`;
    return `| \`${field.name}\` | ${typeText(field.type)} | ${field.doc ?? ""}${fallback} |`;
  }),
  "",
];

const typeText = (type: AvroType): string => {
  if (typeof type === "string") return type;
  if (Array.isArray(type)) return type.map(typeText).join(" or ");
  if (type.type === "record") return `\`${type.name}\``;
  return type.type === "array" ? `list of ${typeText(type.items)}` : `map of ${typeText(type.values)}`;
};

const nestedIn = (record: AvroRecord): AvroRecord[] => record.fields.flatMap(({ type }) => recordsIn(type));

const recordsIn = (type: AvroType): AvroRecord[] => {
  if (typeof type === "string") return [];
  if (Array.isArray(type)) return type.flatMap(recordsIn);
  if (type.type === "record") return [type, ...nestedIn(type)];
  return recordsIn(type.type === "array" ? type.items : type.values);
};
