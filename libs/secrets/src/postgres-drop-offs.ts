import { randomUUID } from "node:crypto";
import type { TenantId } from "@deeplens/contracts";
import type { Pool } from "@deeplens/postgres";
import { DropOffError, type DropOffs, dropOffIdOf, dropOffReference } from "./drop-off.ts";
import { type MasterKey, seal, unseal } from "./master-key.ts";

/** The drop-offs in the control database. */
export const postgresDropOffs = (pool: Pool, key: MasterKey): DropOffs => ({
  async put({ kind, value, by, lifeMs }) {
    const id = randomUUID();
    const { keyVersion, nonce, ciphertext } = seal(key, value, contextOf(id));
    const { rows } = await pool.query<{ expiresAt: Date }>(
      `INSERT INTO secrets.drop_offs (id, kind, key_version, nonce, ciphertext, actor, expires_at)
       VALUES ($1, $2, $3, $4, $5, $6, now() + $7 * interval '1 ms') RETURNING expires_at AS "expiresAt"`,
      [id, kind, keyVersion, nonce, ciphertext, by, lifeMs],
    );
    const [row] = rows;
    if (row === undefined) throw new Error("the drop-off was not stored");
    return { reference: dropOffReference(id), expiresAt: row.expiresAt };
  },
  async find(reference) {
    const row = await waiting(pool, reference);
    return row === undefined
      ? undefined
      : { kind: row.kind, expiresAt: row.expires_at, boundTo: row.bound_to };
  },
  async prune() {
    const { rowCount } = await pool.query(
      "DELETE FROM secrets.drop_offs WHERE bound_to IS NULL AND expires_at < now()",
    );
    return rowCount ?? 0;
  },
});

interface Row {
  readonly kind: string;
  readonly expires_at: Date;
  readonly bound_to: TenantId | null;
  readonly key_version: string | null;
  readonly nonce: Buffer | null;
  readonly ciphertext: Buffer | null;
}

const waiting = async (pool: Pool, reference: string): Promise<Row | undefined> => {
  const { rows } = await pool.query<Row>(
    `SELECT kind, expires_at, bound_to, key_version, nonce, ciphertext FROM secrets.drop_offs
     WHERE id = $1 AND (bound_to IS NOT NULL OR expires_at > now())`,
    [dropOffIdOf(reference)],
  );
  return rows[0];
};

/**
 * What a tenant finds at a reference: the value that it is to take, or that it took it before.
 *
 * @throws DropOffError where there is none, or another tenant has it
 */
export const droppedOffFor = async (
  pool: Pool,
  key: MasterKey,
  reference: string,
  owner: TenantId,
): Promise<{ readonly value: string } | "taken before"> => {
  const row = await waiting(pool, reference);
  if (row === undefined) throw new DropOffError("unknown", reference);
  if (row.bound_to === owner) return "taken before";
  const { key_version: keyVersion, nonce, ciphertext } = row;
  if (row.bound_to !== null || keyVersion === null || nonce === null || ciphertext === null)
    throw new DropOffError("of-other-tenant", reference);
  return { value: unseal(key, { keyVersion, nonce, ciphertext }, contextOf(dropOffIdOf(reference))) };
};

const contextOf = (id: string): readonly string[] => ["drop-off", id];
