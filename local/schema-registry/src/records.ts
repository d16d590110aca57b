/**
 * The records of the `_schemas` topic, in Confluent's own format: JSON keys told apart by `keytype`, JSON values.
 * Keys are written with their fields in Confluent's order, since compaction compares bytes.
 */
import type { Level } from "./compatibility.ts";
import { levels } from "./compatibility.ts";

/** One record as Kafka has it; a null value is a tombstone (or a NOOP). */
export type LogRecord = { key: string; value: string | null };

export type StoredSchema = {
  subject: string;
  version: number;
  id: number;
  schemaType: string;
  schema: string;
  deleted: boolean;
};

/** What a record says. `subject: null` is the whole registry. */
export type Entry =
  | { type: "schema"; stored: StoredSchema }
  | { type: "schemaGone"; subject: string; version: number }
  | { type: "config"; subject: string | null; level: Level | null }
  | { type: "subjectDeleted"; subject: string; untilVersion: number }
  | { type: "other" };

/** Writes an entry; `schemaType` is left out for Avro, as Confluent does. */
export const encode = (entry: Exclude<Entry, { type: "other" }>): LogRecord => {
  switch (entry.type) {
    case "schema": {
      const { subject, version, id, schemaType, schema, deleted } = entry.stored;
      const kind = schemaType === "AVRO" ? {} : { schemaType };
      return {
        key: schemaKey(subject, version),
        value: JSON.stringify({ subject, version, id, ...kind, schema, deleted }),
      };
    }
    case "schemaGone":
      return { key: schemaKey(entry.subject, entry.version), value: null };
    case "config": {
      const named = entry.subject === null ? {} : { subject: entry.subject };
      const value =
        entry.level === null ? null : JSON.stringify({ ...named, compatibilityLevel: entry.level });
      return { key: JSON.stringify({ keytype: "CONFIG", ...named, magic: 0 }), value };
    }
    case "subjectDeleted": {
      const { subject, untilVersion: version } = entry;
      return {
        key: JSON.stringify({ keytype: "DELETE_SUBJECT", subject, magic: 0 }),
        value: JSON.stringify({ subject, version }),
      };
    }
  }
};

/** The record that means nothing: written at start, its offset is where reading has caught up. */
export const noop: LogRecord = { key: JSON.stringify({ keytype: "NOOP", magic: 0 }), value: null };

/** Reads a record. What this registry does not know (MODE, CONTEXT, ...) is `other`; throws where the JSON is broken. */
export const decode = (record: LogRecord): Entry => {
  const key = JSON.parse(record.key) as { keytype: string; subject?: string | null; version?: number };
  const value = record.value === null ? null : (JSON.parse(record.value) as Record<string, unknown>);
  const subject = key.subject ?? null;
  if (key.keytype === "CONFIG") {
    const level = levels.find((known) => known === value?.compatibilityLevel) ?? null;
    return { type: "config", subject, level };
  }
  if (subject === null) return { type: "other" };
  if (key.keytype === "SCHEMA" && key.version !== undefined) {
    if (value === null) return { type: "schemaGone", subject, version: key.version };
    const { id, schema, deleted = false, schemaType = "AVRO" } = value as Partial<StoredSchema>;
    if (id === undefined || schema === undefined) return { type: "other" };
    return { type: "schema", stored: { subject, version: key.version, id, schemaType, schema, deleted } };
  }
  if (key.keytype === "DELETE_SUBJECT" && typeof value?.version === "number")
    return { type: "subjectDeleted", subject, untilVersion: value.version };
  return { type: "other" };
};

const schemaKey = (subject: string, version: number): string =>
  JSON.stringify({ keytype: "SCHEMA", subject, version, magic: 1 });
