import { createRequire } from "node:module";

/** A record on its way out, as kafkajs hands it to its encoder. */
export interface OutgoingRecord {
  readonly offsetDelta?: number;
  /** In ms. */
  readonly timestampDelta?: number;
  readonly key?: Buffer | string | null;
  readonly value?: Buffer | string | null;
  readonly headers?: Readonly<Record<string, HeaderValue | readonly HeaderValue[]>>;
}
type HeaderValue = Buffer | string | null | undefined;

/** What the rest of kafkajs uses of its Encoder once a record is in it. */
interface Encoded {
  readonly buf: Buffer;
  readonly buffer: Buffer;
}

/** Where kafkajs is in what it received. */
interface Decoder {
  readonly buffer: Buffer;
  offset: number;
}

interface BatchContext {
  readonly firstOffset: string;
  readonly firstTimestamp: string;
  readonly maxTimestamp: string;
  readonly magicByte: number;
  readonly timestampType: number;
  readonly isControlBatch: boolean;
}

const inPackage = createRequire(import.meta.url);
const encoderModule = "kafkajs/src/protocol/recordBatch/record/v0/index.js";
const decoderModule = "kafkajs/src/protocol/recordBatch/record/v0/decoder.js";
const bufferModule = "kafkajs/src/protocol/encoder.js";

/**
 * Has kafkajs write and read each record in one pass. kafkajs 2.2.4 gives every record and every header a buffer of 512
 * bytes of its own, filled with zeros, outside of V8's heap: a hundred of them for a saga, which made the garbage collector
 * go through the whole heap several times a second. And it reads headers by copying the object for each. It loads these
 * modules with the first request that needs them, so what is put in their place before that is what it takes
 * (docs/decisions/0025-kafkajs-records-in-one-pass.md).
 */
export const installRecordFormat = (): void => {
  replace(encoderModule, encodeRecord);
  replace(decoderModule, decodeRecord);
  const { prototype } = inPackage(bufferModule) as {
    prototype: { buf: Buffer; offset: number; ensureAvailable(length: number): void };
  };
  prototype.ensureAvailable = function (length): void {
    const needed = this.offset + length;
    if (needed <= this.buf.length) return;
    const larger = Buffer.allocUnsafe(Math.max(needed, this.buf.length * 2));
    this.buf.copy(larger, 0, 0, this.offset);
    this.buf = larger;
  };
};

const replace = (module: string, replacement: unknown): void => {
  inPackage(module);
  const cached = inPackage.cache[inPackage.resolve(module)];
  if (cached === undefined) throw new Error(`${module} is not where kafkajs 2.2.4 has it`);
  cached.exports = replacement;
};

/** Kafka's record, version 2 of the message format (https://kafka.apache.org/documentation/#record). */
export const encodeRecord = ({
  offsetDelta = 0,
  timestampDelta = 0,
  key,
  value,
  headers = {},
}: OutgoingRecord): Encoded => {
  const pairs: (readonly [string, HeaderValue])[] = [];
  for (const name of Object.keys(headers)) {
    const held = headers[name];
    if (Array.isArray(held)) for (const one of held) pairs.push([name, one]);
    else pairs.push([name, held as HeaderValue]);
  }
  let body =
    1 + sizeOfSigned(timestampDelta) + sizeOfSigned(offsetDelta) + sizeOfBytes(key) + sizeOfBytes(value);
  body += sizeOfSigned(pairs.length);
  for (const [name, held] of pairs) body += sizeOfBytes(name) + sizeOfBytes(held);

  const buf = Buffer.allocUnsafe(sizeOfSigned(body) + body);
  let at = writeSigned(buf, 0, body);
  buf[at++] = 0; // no attribute of a record has a meaning yet
  at = writeSigned(buf, at, timestampDelta);
  at = writeSigned(buf, at, offsetDelta);
  at = writeBytes(buf, at, key);
  at = writeBytes(buf, at, value);
  at = writeSigned(buf, at, pairs.length);
  for (const [name, held] of pairs) at = writeBytes(buf, writeBytes(buf, at, name), held);
  return { buf, buffer: buf };
};

/** in: a decoder that stands behind the record's length. out: the record as the rest of kafkajs knows it. */
export const decodeRecord = (decoder: Decoder, batchContext: BatchContext): ReceivedRecord => {
  const { buffer } = decoder;
  const reader: Reader = { buffer, at: decoder.offset };
  const attributes = buffer.readInt8(reader.at++);
  const timestampDelta = readSigned(reader);
  const offsetDelta = readSigned(reader);
  const key = readBytes(reader);
  const value = readBytes(reader);
  decoder.offset = buffer.length;
  return new ReceivedRecord({ attributes, timestampDelta, offsetDelta, key, value }, reader, batchContext);
};

interface Fields {
  readonly attributes: number;
  readonly timestampDelta: number;
  readonly offsetDelta: number;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
}

/** A class for its prototype: the headers, which few readers ask for, are read when they are asked for. */
class ReceivedRecord {
  readonly magicByte: number;
  readonly attributes: number;
  readonly timestamp: string;
  readonly offset: string;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly isControlRecord: boolean;
  readonly batchContext: BatchContext;
  readonly #headers: Reader;

  /** @param headers stands before them */
  constructor(fields: Fields, headers: Reader, batchContext: BatchContext) {
    const appended = batchContext.timestampType === logAppendTime && batchContext.maxTimestamp;
    this.magicByte = batchContext.magicByte;
    this.attributes = fields.attributes;
    this.timestamp = appended || String(Number(batchContext.firstTimestamp) + fields.timestampDelta);
    this.offset = String(Number(batchContext.firstOffset) + fields.offsetDelta);
    this.key = fields.key;
    this.value = fields.value;
    this.isControlRecord = batchContext.isControlBatch;
    this.batchContext = batchContext;
    this.#headers = headers;
  }

  get headers(): Record<string, HeaderValue | HeaderValue[]> {
    return readHeaders(this.#headers);
  }
}

const readHeaders = ({ buffer, at }: Reader): Record<string, HeaderValue | HeaderValue[]> => {
  const reader: Reader = { buffer, at };
  // Without a prototype: a sender may call a header `constructor`, or `__proto__`.
  const headers: Record<string, HeaderValue | HeaderValue[]> = Object.create(null);
  for (let left = readSigned(reader); left > 0; left--) {
    const length = readSigned(reader);
    const name = buffer.toString("utf8", reader.at, reader.at + length);
    reader.at += length;
    const one = readBytes(reader);
    const before = headers[name];
    if (before === undefined) headers[name] = one;
    else if (Array.isArray(before)) before.push(one);
    else headers[name] = [before, one];
  }
  return headers;
};

const logAppendTime = 1;

/** Varints: seven bits a byte, the lowest first; signed ones by zigzag (0, -1, 1, -2, ...). Safe for 53 bits. */
const zigzag = (value: number): number => (value < 0 ? -2 * value - 1 : 2 * value);

const sizeOfSigned = (value: number): number => {
  let rest = zigzag(value);
  let size = 1;
  while (rest >= 128) {
    rest = Math.floor(rest / 128);
    size += 1;
  }
  return size;
};

const writeSigned = (buf: Buffer, start: number, value: number): number => {
  let rest = zigzag(value);
  let at = start;
  while (rest >= 128) {
    buf[at++] = (rest % 128) + 128;
    rest = Math.floor(rest / 128);
  }
  buf[at++] = rest;
  return at;
};

const lengthOf = (value: Buffer | string): number =>
  typeof value === "string" ? Buffer.byteLength(value) : value.length;

const sizeOfBytes = (value: HeaderValue): number => {
  if (value == null) return 1;
  const length = lengthOf(value);
  return sizeOfSigned(length) + length;
};

const writeBytes = (buf: Buffer, start: number, value: HeaderValue): number => {
  if (value == null) return writeSigned(buf, start, -1);
  const at = writeSigned(buf, start, lengthOf(value));
  return at + (typeof value === "string" ? buf.write(value, at) : value.copy(buf, at));
};

interface Reader {
  readonly buffer: Buffer;
  at: number;
}

const readSigned = (reader: Reader): number => {
  let byte = reader.buffer.readUInt8(reader.at++);
  let value = byte & 127;
  for (let scale = 128; byte >= 128; scale *= 128) {
    byte = reader.buffer.readUInt8(reader.at++);
    value += (byte & 127) * scale;
  }
  return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
};

const readBytes = (reader: Reader): Buffer | null => {
  const length = readSigned(reader);
  if (length < 0) return null;
  const start = reader.at;
  reader.at += length;
  return reader.buffer.subarray(start, reader.at);
};
