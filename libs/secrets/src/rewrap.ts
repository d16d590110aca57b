import { inTransaction, type Pool, type Queryable } from "@deeplens/postgres";
import { type MasterKey, seal, unseal } from "./master-key.ts";

/** Which versions of the master key there are, and how many secrets are under each. */
export interface KeysInUse {
  /** The version that new secrets are encrypted under. */
  readonly current: string;
  readonly versions: readonly {
    readonly version: string;
    readonly known: boolean;
    readonly secrets: number;
  }[];
}

export interface Rewrapped {
  readonly moved: number;
  /** Secrets that are still under an older version. */
  readonly left: number;
}

/** A table of sealed texts: `context` is an expression that gives what each was sealed with, as text[]. */
interface SealedTable {
  readonly table: string;
  readonly context: string;
}

const sealedTables: readonly SealedTable[] = [
  { table: "secrets.secrets", context: "ARRAY[owner::text, purpose, version::text]" },
  { table: "secrets.drop_offs", context: "ARRAY['drop-off', id::text]" },
];

/** Counts the secrets under each version of the master key. */
export const keysInUse = async (db: Queryable, key: MasterKey): Promise<KeysInUse> => {
  const { rows } = await db.query<{ version: string; secrets: number }>(
    `SELECT key_version AS version, count(*)::int AS secrets FROM (${sealedTables
      .map(({ table }) => `SELECT key_version FROM ${table} WHERE ciphertext IS NOT NULL`)
      .join(" UNION ALL ")}) AS sealed GROUP BY 1`,
  );
  const counts = new Map(rows.map(({ version, secrets }) => [version, secrets]));
  const versions = [...new Set([...key.keys.keys(), ...counts.keys()])].sort(byNumber);
  return {
    current: key.current,
    versions: versions.map((version) => ({
      version,
      known: key.keys.has(version),
      secrets: counts.get(version) ?? 0,
    })),
  };
};

/**
 * Encrypts up to `atMost` secrets anew under the current version of the master key, in one transaction. All of them are
 * done when nothing is left; whoever stops in between goes on with the next call. Rows that others hold are passed over.
 *
 * @throws where a secret is under a version that the key does not have, or does not open; nothing is moved then
 */
export const rewrapSome = async (pool: Pool, key: MasterKey, atMost: number): Promise<Rewrapped> => {
  let moved = 0;
  for (const sealed of sealedTables)
    if (moved < atMost) moved += await rewrapTable(pool, key, sealed, atMost - moved);
  const { current, versions } = await keysInUse(pool, key);
  const left = versions.reduce((sum, { version, secrets }) => sum + (version === current ? 0 : secrets), 0);
  return { moved, left };
};

interface Row {
  readonly place: string;
  readonly context: readonly string[];
  readonly key_version: string;
  readonly nonce: Buffer;
  readonly ciphertext: Buffer;
}

// A row that is locked keeps its place (ctid) until this transaction moves it.
const rewrapTable = (
  pool: Pool,
  { current, keys }: MasterKey,
  { table, context }: SealedTable,
  atMost: number,
): Promise<number> =>
  inTransaction(pool, async (client) => {
    const key = { current, keys };
    const { rows } = await client.query<Row>(
      `SELECT ctid::text AS place, ${context} AS context, key_version, nonce, ciphertext FROM ${table}
       WHERE key_version <> $1 AND ciphertext IS NOT NULL LIMIT $2 FOR UPDATE SKIP LOCKED`,
      [current, atMost],
    );
    if (rows.length === 0) return 0;
    const sealed = rows.map((row) => seal(key, opened(key, row), row.context));
    await client.query(
      `UPDATE ${table} t SET key_version = $1, nonce = n.nonce, ciphertext = n.ciphertext
       FROM unnest($2::tid[], $3::bytea[], $4::bytea[]) AS n (place, nonce, ciphertext) WHERE t.ctid = n.place`,
      [
        current,
        rows.map(({ place }) => place),
        sealed.map(({ nonce }) => nonce),
        sealed.map(({ ciphertext }) => ciphertext),
      ],
    );
    return rows.length;
  });

const opened = (key: MasterKey, row: Row): string => {
  try {
    return unseal(key, { ...row, keyVersion: row.key_version }, row.context);
  } catch (error) {
    throw new Error(`the secret ${row.context.join("/")} does not open: ${(error as Error).message}`);
  }
};

const byNumber = (one: string, other: string): number => Number(one.slice(1)) - Number(other.slice(1));
