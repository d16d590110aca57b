import { type Login, otherLogin, type TenantId } from "@deeplens/contracts";
import { migrate, type Pool } from "@deeplens/postgres";
import { DropOffError, type DropOffs, dropOffIdOf } from "./drop-off.ts";
import { FencedError } from "./fenced-error.ts";
import { type MasterKey, parseMasterKey, type Sealed, seal, unseal } from "./master-key.ts";
import { droppedOffFor, postgresDropOffs } from "./postgres-drop-offs.ts";
import { randomSecret } from "./random-secret.ts";
import {
  type FenceCheck,
  type SecretStore,
  type StoredSecret,
  secretReference,
  type TenantSecrets,
} from "./secret-store.ts";

export interface RevealedSecret {
  readonly purpose: string;
  readonly value: string;
}

export interface Reveal {
  readonly tenantId: TenantId;
  /** Who asked. */
  readonly by: string;
  readonly reason: string;
}

export interface PostgresSecretStore extends SecretStore {
  /** Where secrets come in before their tenants. */
  readonly dropOffs: DropOffs;
  /**
   * The newest version of each of a tenant's secrets, to be shown to a person; that it was done is recorded in the
   * same statement. Whether the tenant is ready is for the caller to check: nothing is shown before.
   */
  revealed(reveal: Reveal): Promise<readonly RevealedSecret[]>;
}

/** Brings the schema `secrets` of the control database up to date. */
export const migrateSecrets = (pool: Pool): Promise<string[]> =>
  migrate(pool, "secrets", new URL("../migrations/", import.meta.url));

/**
 * The store in the control database.
 *
 * @param masterKey the key (masterKeyOf), or the text of its file, see parseMasterKey
 */
export const createSecretStore = (pool: Pool, masterKey: string | MasterKey): PostgresSecretStore => {
  const key = typeof masterKey === "string" ? parseMasterKey(masterKey) : masterKey;
  return {
    of: (tenantId, check) => tenantSecrets(pool, key, tenantId, check),
    dropOffs: postgresDropOffs(pool, key),
    revealed: (reveal) => revealed(pool, key, reveal),
  };
};

interface Row {
  readonly purpose: string;
  readonly version: number;
  readonly key_version: string;
  readonly nonce: Buffer;
  readonly ciphertext: Buffer;
  readonly made_for: string | null;
  readonly login: Login;
}

const newestVersion =
  "(SELECT max(version) FROM secrets.secrets AS newest WHERE newest.owner = $1 AND newest.purpose = $2)";
const oldestVersion =
  "(SELECT min(version) FROM secrets.secrets AS oldest WHERE oldest.owner = $1 AND oldest.purpose = $2)";
const columns = "purpose, version, key_version, nonce, ciphertext, made_for, login";

const tenantSecrets = (
  pool: Pool,
  key: MasterKey,
  owner: TenantId,
  check: FenceCheck | undefined,
): TenantSecrets => {
  const newest = async (purpose: string): Promise<Row | undefined> => {
    const { rows } = await pool.query<Row>(
      `SELECT ${columns} FROM secrets.secrets WHERE owner = $1 AND purpose = $2 ORDER BY version DESC LIMIT 1`,
      [owner, purpose],
    );
    return rows[0];
  };
  const anew = async (
    purpose: string,
    sagaId: string,
    make: () => string,
    loginOf: (before: Login) => Login,
  ): Promise<StoredSecret> => {
    const stored = await newest(purpose);
    if (stored?.made_for === sagaId) return storedOf(stored);
    const login = stored === undefined ? 1 : loginOf(stored.login);
    return storedOf(
      await insert({ purpose, version: (stored?.version ?? 0) + 1, madeFor: sagaId, login }, make()),
    );
  };
  const open = (row: Row): string => unseal(key, sealedOf(row), [owner, row.purpose, String(row.version)]);
  const storedOf = (row: Row): StoredSecret => ({
    reference: secretReference(owner, row.purpose, row.version),
    value: open(row),
    login: row.login,
  });

  return {
    async ensure(purpose, make = randomSecret) {
      return storedOf((await newest(purpose)) ?? (await insert({ purpose, version: 1, login: 1 }, make())));
    },
    renew: (purpose, sagaId, make = randomSecret) => anew(purpose, sagaId, make, (login) => login),
    alternate: (purpose, sagaId, make = randomSecret) => anew(purpose, sagaId, make, otherLogin),
    async read(purpose) {
      const row = await newest(purpose);
      return row === undefined ? undefined : open(row);
    },
    async offered(reference) {
      const found = await droppedOffFor(pool, key, reference, owner);
      return found === "taken before" ? undefined : found.value;
    },
    async adopt(reference, purpose) {
      for (;;) {
        const found = await droppedOffFor(pool, key, reference, owner);
        const stored = await newest(purpose);
        if (found === "taken before") {
          // Without a note of what it came from it is from before there were notes, and the first.
          if (stored === undefined || (stored.made_for ?? reference) !== reference)
            throw new DropOffError("spent", reference);
          return storedOf(stored);
        }
        const version = (stored?.version ?? 0) + 1;
        // Not taken: another try came first, and the next look says whose it was.
        if (await takeOver(reference, purpose, version, found.value))
          return { reference: secretReference(owner, purpose, version), value: found.value, login: 1 };
      }
    },
    async versions(purpose) {
      const { rows } = await pool.query<Row>(
        `SELECT ${columns} FROM secrets.secrets WHERE owner = $1 AND purpose = $2 ORDER BY version DESC`,
        [owner, purpose],
      );
      return rows.map(storedOf);
    },
    removeOlder: (purpose) => removeWhere(purpose, `version < ${newestVersion} AND $3::text IS NULL`),
    withdraw: (purpose, sagaId) =>
      removeWhere(
        purpose,
        `version = ${newestVersion} AND made_for = $3 AND version > ${oldestVersion}`,
        sagaId,
      ),
    remove: (purpose) => removeWhere(purpose, "$3::text IS NULL"),
  };

  async function removeWhere(purpose: string, condition: string, value: string | null = null): Promise<void> {
    const { rows } = await pool.query<{ held: boolean }>(
      `WITH part AS (${partOf(4, check)}),
       removed AS (
         DELETE FROM secrets.secrets WHERE owner = $1 AND purpose = $2 AND (${condition}) AND EXISTS (SELECT FROM part))
       SELECT EXISTS (SELECT FROM part) AS held`,
      [owner, purpose, value, ...fenceOf(check)],
    );
    mustHold(rows[0]?.held, check);
  }

  // One statement: it is a tenant's from the moment that it is not waiting any more, whatever crashes.
  async function takeOver(
    reference: string,
    purpose: string,
    version: number,
    value: string,
  ): Promise<boolean> {
    const { keyVersion, nonce, ciphertext } = seal(key, value, [owner, purpose, String(version)]);
    const { rows } = await pool.query<{ held: boolean; taken: boolean }>(
      `WITH part AS (${partOf(9, check)}),
       taken AS (
         UPDATE secrets.drop_offs SET bound_to = $1, bound_at = now(), key_version = NULL, nonce = NULL, ciphertext = NULL
         WHERE id = $7 AND bound_to IS NULL AND expires_at > now() AND EXISTS (SELECT FROM part) RETURNING id),
       stored AS (
         INSERT INTO secrets.secrets (owner, purpose, version, key_version, nonce, ciphertext, made_for)
         SELECT $1::uuid, $2::text, $3::int, $4::text, $5::bytea, $6::bytea, $8::text FROM taken)
       SELECT EXISTS (SELECT FROM part) AS held, EXISTS (SELECT FROM taken) AS taken`,
      [
        ...[owner, purpose, version, keyVersion, nonce, ciphertext, dropOffIdOf(reference), reference],
        ...fenceOf(check),
      ],
    );
    mustHold(rows[0]?.held, check);
    return rows[0]?.taken === true;
  }

  // Two tries at once make one secret: the second inserts nothing, and both read what the first stored.
  async function insert(
    row: {
      readonly purpose: string;
      readonly version: number;
      readonly madeFor?: string;
      readonly login: Login;
    },
    value: string,
  ): Promise<Row> {
    const { purpose, version, madeFor, login } = row;
    const { keyVersion, nonce, ciphertext } = seal(key, value, [owner, purpose, String(version)]);
    const { rows } = await pool.query<{ held: boolean }>(
      `WITH part AS (${partOf(9, check)}),
       stored AS (
         INSERT INTO secrets.secrets (owner, purpose, version, key_version, nonce, ciphertext, made_for, login)
         SELECT $1::uuid, $2::text, $3::int, $4::text, $5::bytea, $6::bytea, $7::text, $8::smallint FROM part
         ON CONFLICT (owner, purpose, version) DO NOTHING)
       SELECT EXISTS (SELECT FROM part) AS held`,
      [owner, purpose, version, keyVersion, nonce, ciphertext, madeFor ?? null, login, ...fenceOf(check)],
    );
    mustHold(rows[0]?.held, check);
    const stored = await newest(purpose);
    if (stored === undefined) throw new Error(`secret ${purpose} of ${owner} was removed while it was made`);
    return stored;
  }
};

// One row while the part has this fence (or where none is to be checked), none afterwards. The share lock makes a newer
// command wait until this write is committed, so what it then reads includes it.
const partOf = (first: number, check: FenceCheck | undefined): string =>
  check === undefined
    ? `SELECT WHERE $${first}::text IS NULL AND $${first + 1}::text IS NULL AND $${first + 2}::bigint IS NULL`
    : `SELECT FROM worker.parts
       WHERE slug = $${first} AND step = $${first + 1} AND fence = $${first + 2}::bigint FOR SHARE`;

const fenceOf = (check: FenceCheck | undefined): readonly (string | number | null)[] =>
  check === undefined ? [null, null, null] : [check.slug, check.step, check.fence];

const mustHold = (held: boolean | undefined, check: FenceCheck | undefined): void => {
  if (held !== true)
    throw new FencedError(
      `${check?.slug}/${check?.step}: fence ${check?.fence} was overtaken; no secret was written`,
    );
};

const revealed = async (pool: Pool, key: MasterKey, reveal: Reveal): Promise<readonly RevealedSecret[]> => {
  const { rows } = await pool.query<Row>(
    `WITH shown AS MATERIALIZED (
       SELECT DISTINCT ON (purpose) ${columns} FROM secrets.secrets WHERE owner = $1 ORDER BY purpose, version DESC),
     recorded AS (
       INSERT INTO secrets.reveals (owner, actor, reason, purposes)
       VALUES ($1, $2, $3, ARRAY(SELECT purpose FROM shown)))
     SELECT * FROM shown`,
    [reveal.tenantId, reveal.by, reveal.reason],
  );
  return rows.map((row) => ({
    purpose: row.purpose,
    value: unseal(key, sealedOf(row), [reveal.tenantId, row.purpose, String(row.version)]),
  }));
};

const sealedOf = (row: Row): Sealed => ({
  keyVersion: row.key_version,
  nonce: row.nonce,
  ciphertext: row.ciphertext,
});
