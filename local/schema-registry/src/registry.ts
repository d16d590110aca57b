/**
 * The registry: a view of the `_schemas` log, and operations that append to it.
 *
 * What it survives: it holds nothing that is not in the log. A write is done when its record was read back, so an answer
 * never tells of what a crash could lose. Before a write the log is read to its end, and writes go one at a time: two
 * requests never take one id or version. (Two processes could: run one.)
 */
import { type AvroSchema, InvalidSchemaError, parseSchema } from "./avro-schema.ts";
import { incompatibilities, type Level } from "./compatibility.ts";
import * as errors from "./errors.ts";
import { decode, type Entry, encode, type LogRecord, type StoredSchema } from "./records.ts";

/** Where the records live. */
export interface SchemaLog {
  /** Hands every record to `apply`, in order and for ever; resolves when it has reached the end. */
  follow(apply: (record: LogRecord) => void): Promise<void>;
  /** Waits until everything that is in the log now was applied. */
  catchUp(): Promise<void>;
  /** Appends, and waits until the record was applied. Twice is once: the last record of a key counts. */
  append(record: LogRecord): Promise<void>;
}

/** A schema as clients send it; `schemaType` AVRO unless said. */
export type Posted = {
  schema: string;
  schemaType?: string | undefined;
  references?: readonly unknown[] | undefined;
};
export type Registry = ReturnType<typeof createRegistry>;
type Versions = Map<number, StoredSchema>;

const defaultLevel: Level = "BACKWARD";

/** Makes a registry over a log. It knows nothing until `start` has resolved. */
export const createRegistry = (log: SchemaLog) => {
  const subjects = new Map<string, Versions>();
  const byId = new Map<number, StoredSchema>();
  const configured = new Map<string | null, Level>();
  const parsed = new Map<string, AvroSchema>();

  const apply = (entry: Entry): void => {
    switch (entry.type) {
      case "schema": {
        const { subject, version, id } = entry.stored;
        const versions = subjects.get(subject) ?? new Map<number, StoredSchema>();
        subjects.set(subject, versions.set(version, entry.stored));
        if (!byId.has(id)) byId.set(id, entry.stored);
        return;
      }
      case "schemaGone": {
        const gone = subjects.get(entry.subject)?.get(entry.version);
        subjects.get(entry.subject)?.delete(entry.version);
        const kept =
          gone && [...subjects.values()].flatMap((v) => [...v.values()]).find(({ id }) => id === gone.id);
        if (kept) byId.set(kept.id, kept);
        else if (gone) byId.delete(gone.id);
        return;
      }
      case "subjectDeleted":
        for (const [version, stored] of subjects.get(entry.subject) ?? [])
          if (version <= entry.untilVersion)
            subjects.get(entry.subject)?.set(version, { ...stored, deleted: true });
        return;
      case "config":
        if (entry.level === null) configured.delete(entry.subject);
        else configured.set(entry.subject, entry.level);
        return;
      case "other":
        return;
    }
  };

  let lastWrite: Promise<unknown> = Promise.resolve();
  const exclusively = <T>(write: () => Promise<T>): Promise<T> => {
    const result = lastWrite.then(log.catchUp).then(write);
    lastWrite = result.catch(() => undefined); // its caller is told; the next write begins all the same
    return result;
  };
  const append = (entry: Exclude<Entry, { type: "other" }>): Promise<void> => log.append(encode(entry));

  const parse = (posted: Posted): AvroSchema => {
    if ((posted.schemaType ?? "AVRO") !== "AVRO")
      throw errors.invalidSchema(`schemaType ${posted.schemaType}: this stand-in knows AVRO only`);
    if (posted.references?.length) throw errors.invalidSchema("this stand-in knows no references");
    try {
      return parseSchema(posted.schema);
    } catch (error) {
      if (error instanceof InvalidSchemaError)
        throw errors.invalidSchema(`${posted.schema}, details: ${error.message}`);
      throw error;
    }
  };
  const parseStored = (stored: StoredSchema): AvroSchema => {
    const known = parsed.get(stored.schema) ?? parse(stored);
    parsed.set(stored.schema, known);
    return known;
  };
  // A real registry may have stored what this one can't read: it keeps its text, and stands in nobody's way.
  const canonicalOf = (stored: StoredSchema): string => {
    try {
      return parseStored(stored).canonical;
    } catch {
      return stored.schema;
    }
  };

  const live = (subject: string): StoredSchema[] =>
    [...(subjects.get(subject)?.values() ?? [])]
      .filter((s) => !s.deleted)
      .sort((a, b) => a.version - b.version);
  const liveOrNotFound = (subject: string): StoredSchema[] => {
    const found = live(subject);
    if (found.length === 0) throw errors.subjectNotFound(subject);
    return found;
  };
  const levelOf = (subject: string): Level => configured.get(subject) ?? configured.get(null) ?? defaultLevel;
  const find = (subject: string, schema: AvroSchema): StoredSchema | undefined =>
    live(subject).findLast((stored) => canonicalOf(stored) === schema.canonical);
  const check = (subject: string, schema: AvroSchema, against: readonly StoredSchema[]): string[] =>
    incompatibilities(
      levelOf(subject),
      schema,
      against.map((stored) => ({ version: stored.version, schema: parseStored(stored) })),
    );

  return {
    /** Reads the log to its end. */
    start: (): Promise<void> => log.follow((record) => apply(decode(record))),
    /** Registers a schema; the same schema again gets the same id, under other subjects too. */
    register: (subject: string, posted: Posted): Promise<number> =>
      exclusively(async () => {
        if (subject === "" || /\p{Cc}/u.test(subject)) throw errors.invalidSubject(subject);
        const schema = parse(posted);
        const there = find(subject, schema);
        if (there !== undefined) return there.id;
        const details = check(subject, schema, live(subject));
        if (details.length > 0) throw errors.incompatible(subject, details);
        const known = [...byId.values()].find((stored) => canonicalOf(stored) === schema.canonical);
        const id = known?.id ?? Math.max(0, ...byId.keys()) + 1;
        const version = Math.max(0, ...(subjects.get(subject)?.keys() ?? [])) + 1;
        const stored = { subject, version, id, schemaType: "AVRO", schema: schema.canonical, deleted: false };
        await append({ type: "schema", stored });
        return id;
      }),
    lookUp: (subject: string, posted: Posted): StoredSchema => {
      const schema = parse(posted);
      liveOrNotFound(subject);
      const found = find(subject, schema);
      if (found === undefined) throw errors.schemaNotFound();
      return found;
    },
    byId: (id: number): StoredSchema => {
      const found = byId.get(id);
      if (found === undefined) throw errors.schemaNotFound(id);
      return found;
    },
    subjects: (): string[] =>
      [...subjects.keys()].filter((subject) => live(subject).length > 0).toSorted((a, b) => (a < b ? -1 : 1)),
    versions: (subject: string): number[] => liveOrNotFound(subject).map(({ version }) => version),
    version: (subject: string, version: number | "latest"): StoredSchema => {
      const all = liveOrNotFound(subject);
      const found = version === "latest" ? all.at(-1) : all.find((stored) => stored.version === version);
      if (found === undefined) throw errors.versionNotFound(Number(version));
      return found;
    },
    /** What stands against the schema; with no version, all versions that the subject's level looks at are compared. */
    problems: (subject: string, version: number | "latest" | undefined, posted: Posted): string[] => {
      const all = live(subject);
      if (version === undefined) return check(subject, parse(posted), all);
      const against =
        version === "latest" ? all.slice(-1) : all.filter((stored) => stored.version === version);
      if (all.length === 0 && version !== "latest") throw errors.subjectNotFound(subject);
      if (against.length === 0 && version !== "latest") throw errors.versionNotFound(version);
      return check(subject, parse(posted), against);
    },
    level: (subject: string | null, orGlobal = false): Level => {
      if (subject === null) return configured.get(null) ?? defaultLevel;
      if (!configured.has(subject) && !orGlobal) throw errors.noSubjectLevel(subject);
      return levelOf(subject);
    },
    setLevel: (subject: string | null, level: Level): Promise<void> =>
      exclusively(() => append({ type: "config", subject, level })),
    /** Deletes a subject: softly (the ids stay readable), and `permanent` what was softly deleted. Gives the versions. */
    remove: (subject: string, permanent: boolean): Promise<number[]> =>
      exclusively(async () => {
        const all = [...(subjects.get(subject)?.keys() ?? [])].sort((a, b) => a - b);
        const alive = live(subject).map(({ version }) => version);
        if (all.length === 0) throw errors.subjectNotFound(subject);
        if (permanent && alive.length > 0) throw errors.subjectNotSoftDeleted(subject);
        if (!permanent && alive.length === 0) throw errors.subjectSoftDeleted(subject);
        if (permanent) for (const version of all) await append({ type: "schemaGone", subject, version });
        else await append({ type: "subjectDeleted", subject, untilVersion: Math.max(...alive) });
        if (configured.has(subject)) await append({ type: "config", subject, level: null });
        return permanent ? all : alive;
      }),
  };
};

/** A log in memory, for tests. Several may share the records: each sees what others appended when it catches up. */
export const createMemoryLog = (records: LogRecord[] = []): SchemaLog => {
  let follower: (record: LogRecord) => void = () => undefined;
  let applied = 0;
  const catchUp = async (): Promise<void> => {
    await new Promise(setImmediate);
    for (const record of records.slice(applied)) follower(record);
    applied = records.length;
  };
  return {
    follow: (apply) => {
      follower = apply;
      return catchUp();
    },
    catchUp,
    append: async (record) => {
      await new Promise(setImmediate);
      records.push(record);
      await catchUp();
    },
  };
};
