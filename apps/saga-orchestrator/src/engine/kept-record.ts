import type { KafkaMessage } from "@deeplens/messaging";
import type { KeptRecord } from "../saga/inbox.ts";
import { headersFrom, storedHeadersOf } from "./stored-headers.ts";

type Raw = Pick<KafkaMessage, "key" | "value" | "headers" | "offset">;

/** A record as a row of the inbox keeps it, to be made a dead letter where it turns out that it can't be answered. */
export const keptRecordOf = (partition: number, { key, value, headers, offset }: Raw): KeptRecord => ({
  partition,
  offset,
  key: key?.toString("base64") ?? null,
  value: value?.toString("base64") ?? null,
  headers: JSON.stringify(storedHeadersOf(headers ?? {})),
});

/** The same record, as it came. */
export const recordFrom = ({ offset, key, value, headers }: KeptRecord): Raw => ({
  offset,
  key: bytesOf(key),
  value: bytesOf(value),
  headers: headersFrom(JSON.parse(headers)),
});

const bytesOf = (base64: string | null): Buffer | null =>
  base64 === null ? null : Buffer.from(base64, "base64");
