import type { Pool } from "@deeplens/postgres";
import { FencedError } from "@deeplens/worker";

/** Which ports may be leased: pair n is (httpBase + 2n, grpcBase + 2n), n from 0. */
export interface PortRange {
  readonly httpBase: number;
  readonly grpcBase: number;
  readonly pairs: number;
}

export interface PortPair {
  readonly httpPort: number;
  readonly grpcPort: number;
}

/** The command that asks: whose pair it is, and the fence that every write checks in its own statement. */
export interface LeaseHolder {
  readonly tenantId: string;
  readonly slug: string;
  readonly step: string;
  readonly fence: number;
}

export interface PortLeases {
  /**
   * The tenant's pair; where it has none, the lowest free one becomes its.
   * @throws NoFreePortError, FencedError
   */
  ensure(holder: LeaseHolder): Promise<PortPair>;
  find(holder: LeaseHolder): Promise<PortPair | undefined>;
  /** Gives a pair up that somebody else has bound; nobody is given it for an hour. @throws FencedError */
  giveUp(holder: LeaseHolder, pair: PortPair): Promise<void>;
  /** Frees the tenant's pair and gives it; none is fine. Only once its container was seen gone. @throws FencedError */
  free(holder: LeaseHolder): Promise<PortPair | undefined>;
}

/** Every pair is leased, or was found bound by somebody else within the last hour. Time can help. */
export class NoFreePortError extends Error {
  readonly code = "no-free-port";
  constructor(slug: string, range: PortRange) {
    super(
      `no free pair of ports for the vectors of tenant ${slug}: all ${range.pairs} pairs from ${range.httpBase}/${range.grpcBase} are leased or bound by other programs. Remove a tenant, free ports, or raise QDRANT_PORT_PAIRS`,
    );
    this.name = "NoFreePortError";
  }
}

interface PairRow {
  readonly http_port: number;
  readonly grpc_port: number;
}

// The row lock makes whoever raises the fence wait for this statement, or this statement see the newer fence.
const held = `held AS MATERIALIZED (
  SELECT 1 FROM worker.parts WHERE slug = $2 AND step = $3 AND fence = $4 FOR SHARE
)`;

const takeLowestFree = `
  WITH ${held},
  free AS (
    SELECT $6::int + 2 * n AS http_port, $7::int + 2 * n AS grpc_port
    FROM generate_series(0, $8::int - 1) AS n
    WHERE NOT EXISTS (
        SELECT FROM vectors.port_leases l
        WHERE l.installation = $1 AND (l.http_port = $6::int + 2 * n OR l.grpc_port = $7::int + 2 * n))
      AND NOT EXISTS (
        SELECT FROM vectors.foreign_ports f
        WHERE f.installation = $1 AND f.until > now()
          AND (f.http_port = $6::int + 2 * n OR f.grpc_port = $7::int + 2 * n))
    ORDER BY n
    LIMIT 1
  ),
  taken AS (
    INSERT INTO vectors.port_leases (installation, http_port, grpc_port, tenant_id, slug)
    SELECT $1, free.http_port, free.grpc_port, $5, $2 FROM held, free
    ON CONFLICT DO NOTHING
    RETURNING http_port, grpc_port
  )
  SELECT EXISTS (SELECT FROM held) AS held, EXISTS (SELECT FROM free) AS free, taken.*
  FROM (SELECT) AS one LEFT JOIN taken ON true`;

const giveUpPair = `
  WITH ${held},
  gone AS (
    DELETE FROM vectors.port_leases USING held
    WHERE installation = $1 AND tenant_id = $5 AND http_port = $6 AND grpc_port = $7
  ),
  marked AS (
    INSERT INTO vectors.foreign_ports (installation, http_port, grpc_port, until)
    SELECT $1, $6, $7, now() + interval '1 hour' FROM held
    ON CONFLICT (installation, http_port, grpc_port) DO UPDATE SET until = excluded.until
  )
  SELECT EXISTS (SELECT FROM held) AS held`;

const freePair = `
  WITH ${held},
  gone AS (
    DELETE FROM vectors.port_leases USING held WHERE installation = $1 AND tenant_id = $5
    RETURNING http_port, grpc_port
  )
  SELECT EXISTS (SELECT FROM held) AS held, gone.* FROM (SELECT) AS one LEFT JOIN gone ON true`;

/** The leases of one installation, in its control database. */
export const postgresPortLeases = (pool: Pool, installation: string, range: PortRange): PortLeases => {
  const scope = (holder: LeaseHolder): unknown[] => [
    installation,
    holder.slug,
    holder.step,
    holder.fence,
    holder.tenantId,
  ];

  const find: PortLeases["find"] = async ({ tenantId }) => {
    const { rows } = await pool.query<PairRow>(
      "SELECT http_port, grpc_port FROM vectors.port_leases WHERE installation = $1 AND tenant_id = $2",
      [installation, tenantId],
    );
    return toPair(rows[0]);
  };

  return {
    find,

    ensure: async (holder) => {
      // Each turn that takes nothing lost the lowest free pair to another tenant: there are at most as many as pairs.
      for (;;) {
        const existing = await find(holder);
        if (existing !== undefined) return existing;
        const { rows } = await pool.query<{ held: boolean; free: boolean } & Partial<PairRow>>(
          takeLowestFree,
          [...scope(holder), range.httpBase, range.grpcBase, range.pairs],
        );
        const answer = rows[0];
        if (answer?.held !== true) throw overtaken(holder);
        const taken = toPair(answer);
        if (taken !== undefined) return taken;
        if (!answer.free) throw new NoFreePortError(holder.slug, range);
      }
    },

    giveUp: async (holder, pair) => {
      const { rows } = await pool.query<{ held: boolean }>(giveUpPair, [
        ...scope(holder),
        pair.httpPort,
        pair.grpcPort,
      ]);
      if (rows[0]?.held !== true) throw overtaken(holder);
    },

    free: async (holder) => {
      const { rows } = await pool.query<{ held: boolean } & Partial<PairRow>>(freePair, scope(holder));
      if (rows[0]?.held !== true) throw overtaken(holder);
      return toPair(rows[0]);
    },
  };
};

const toPair = (row: Partial<PairRow> | undefined): PortPair | undefined =>
  row?.http_port == null || row.grpc_port == null
    ? undefined
    : { httpPort: row.http_port, grpcPort: row.grpc_port };

const overtaken = (holder: LeaseHolder): FencedError =>
  new FencedError(`${holder.slug}/${holder.step}: fence ${holder.fence} was overtaken`);
