import type { RecordName, Slug, StepName } from "@deeplens/contracts";
import { defaultCallMs } from "./calls.ts";
import type { LockSession } from "./lock-session.ts";
import type { Arrival, Asked, Finished, PartStore, StoredReply } from "./part-store.ts";

interface ArrivalRow {
  readonly slug: Slug;
  readonly state: "open" | "done" | null;
  readonly locked: boolean;
  readonly same_command: boolean;
  readonly overdue: boolean;
  readonly reply_record: RecordName | null;
  readonly reply: Buffer | null;
  readonly reply_headers: Record<string, string> | null;
}

/**
 * The step rows in the control database, on the session that holds the locks. Session locks outlive a statement that
 * fails, so an error here means that the process no longer knows what it holds: it must end.
 *
 * @param longestCallMs how long after a holder's deadline a call of its may still be under way
 */
export const postgresParts = (
  session: LockSession,
  step: StepName,
  longestCallMs = defaultCallMs,
): PartStore => ({
  async arrive(asked) {
    const sorted = [...asked].sort(bySlug);
    const { rows } = await session.query<ArrivalRow>({
      name: "arrive",
      text: arriveSql,
      values: [
        step,
        session.processId,
        longestCallMs,
        commitOf(asked),
        arrayOf(sorted.map(({ slug }) => slug)),
        arrayOf(sorted.map(({ tenantId }) => tenantId)),
        arrayOf(sorted.map(({ fence }) => fence)),
        arrayOf(sorted.map(({ held }) => held)),
        arrayOf(sorted.map(({ endsInMs }) => endsInMs)),
      ],
    });
    return new Map(rows.map((row) => [row.slug, arrivalOf(row)]));
  },
  async finish(finished) {
    const sorted = [...finished].sort(bySlug);
    const { places, bytes } = inOneBuffer(sorted.map(({ reply }) => reply));
    await session.query({
      name: "finish",
      text: finishSql,
      values: [
        step,
        session.processId,
        commitOf(finished),
        arrayOf(sorted.map(({ slug }) => slug)),
        arrayOf(sorted.map(({ tenantId }) => tenantId)),
        arrayOf(sorted.map(({ fence }) => fence)),
        arrayOf(sorted.map(({ release }) => release)),
        arrayOf(sorted.map(({ reply }) => reply?.record)),
        arrayOf(places.map((place) => place?.reply)),
        arrayOf(places.map((place) => place?.headers)),
        arrayOf(places.map((place) => place?.end)),
        bytes,
      ],
    });
  },
  async holderOf(slug) {
    const { rows } = await session.query<{ holder: string | null }>(
      "SELECT holder FROM worker.parts WHERE slug = $1 AND step = $2",
      [slug, step],
    );
    return rows[0]?.holder ?? undefined;
  },
  async endHolder(slug) {
    const { rows } = await session.query<{ ended: boolean }>(
      `SELECT pg_terminate_backend(pid) AS ended FROM worker.holder_of(worker.part_key($1, $2)) AS pid
       WHERE pid IS NOT NULL AND pid <> pg_backend_pid()`,
      [slug, step],
    );
    return rows[0]?.ended === true;
  },
});

/** Postgres's text of an array of words that hold neither quotes nor backslashes; undefined is NULL. */
const arrayOf = (words: readonly (string | number | boolean | undefined)[]): string =>
  `{${words.map((word) => (word === undefined ? "NULL" : `"${word}"`)).join(",")}}`;

/** Where each reply begins, its headers after it, and both end: as Postgres counts, from 1. */
const inOneBuffer = (replies: readonly (StoredReply | undefined)[]) => {
  const parts: Buffer[] = [];
  let end = 1;
  const places = replies.map((stored) => {
    if (stored === undefined) return undefined;
    const headers = Buffer.from(JSON.stringify(stored.headers));
    parts.push(stored.bytes, headers);
    const place = { reply: end, headers: end + stored.bytes.length };
    end = place.headers + headers.length;
    return { ...place, end };
  });
  return { places, bytes: Buffer.concat(parts) };
};

// Rows are locked in one order everywhere.
const bySlug = (a: { slug: string }, b: { slug: string }): number =>
  a.slug < b.slug ? -1 : a.slug > b.slug ? 1 : 0;

// A do-command's rows may be lost in a crash of the database: its first intent is synchronous and takes them along. What
// an undo does must never meet an older fence again.
const commitOf = (commands: readonly (Asked | Finished)[]): "on" | "off" =>
  commands.some(({ undoes }) => undoes) ? "on" : "off";

const arrivalOf = (row: ArrivalRow): Arrival => {
  if (row.state === null) return { outcome: "refused" };
  if (row.state === "done") {
    if (row.reply === null || row.reply_record === null)
      throw new Error(`the step row of ${row.slug} is done without a reply`);
    const reply = { record: row.reply_record, bytes: row.reply, headers: row.reply_headers ?? {} };
    return { outcome: "done", reply };
  }
  if (row.locked) return { outcome: "locked" };
  return { outcome: "busy", sameCommand: row.same_command, overdue: row.overdue };
};

// The lock comes first, so that the row can say who holds it; a lock that is not needed after all is given back at the
// end. A holder that another one follows without having said that its handler settled becomes a suspect while it lives.
const arriveSql = `
WITH durable AS MATERIALIZED (SELECT set_config('synchronous_commit', $4, true)),
asked AS MATERIALIZED (
  SELECT a.*, CASE WHEN held THEN true ELSE pg_try_advisory_lock(worker.part_key(slug, $1)) END AS locked
  FROM unnest($5::text[], $6::uuid[], $7::bigint[], $8::boolean[], $9::float8[])
    AS a (slug, tenant_id, fence, held, ends_in_ms), durable
),
raised AS (
  INSERT INTO worker.parts AS p (slug, step, tenant_id, fence, holder, holder_fence, holder_until)
  SELECT slug, $1, tenant_id, fence,
    CASE WHEN locked THEN $2 END, CASE WHEN locked THEN fence END, CASE WHEN locked THEN clock_timestamp() + ends_in_ms * interval '1 ms' END
  FROM asked
  ON CONFLICT (slug, step) DO UPDATE SET
    tenant_id = excluded.tenant_id,
    fence = excluded.fence,
    state = CASE WHEN p.fence = excluded.fence THEN p.state ELSE 'open' END,
    reply_record = CASE WHEN p.fence = excluded.fence THEN p.reply_record END,
    reply = CASE WHEN p.fence = excluded.fence THEN p.reply END,
    reply_headers = CASE WHEN p.fence = excluded.fence THEN p.reply_headers END,
    suspects = CASE
      WHEN p.holder <> excluded.holder AND (p.fence < excluded.fence OR p.state = 'open')
      THEN ARRAY(SELECT DISTINCT s FROM unnest(p.suspects || p.holder) AS s WHERE worker.lives(s))
      ELSE p.suspects END,
    holder = CASE WHEN excluded.holder IS NULL OR (p.fence = excluded.fence AND p.state = 'done')
      THEN p.holder ELSE excluded.holder END,
    holder_fence = CASE WHEN excluded.holder IS NULL OR (p.fence = excluded.fence AND p.state = 'done')
      THEN p.holder_fence ELSE excluded.holder_fence END,
    holder_until = CASE WHEN excluded.holder IS NULL OR (p.fence = excluded.fence AND p.state = 'done')
      THEN p.holder_until ELSE excluded.holder_until END,
    updated_at = now()
  WHERE p.fence <= excluded.fence
  RETURNING p.*
)
SELECT a.slug, r.state, a.locked, r.reply_record, r.reply, r.reply_headers,
  coalesce(r.holder IS NOT NULL AND r.holder_fence = a.fence, false) AS same_command,
  coalesce(r.holder IS NOT NULL AND r.holder_until + $3 * interval '1 ms' < clock_timestamp(), false) AS overdue,
  CASE WHEN a.locked AND NOT a.held AND r.state IS DISTINCT FROM 'open'
    THEN pg_advisory_unlock(worker.part_key(a.slug, $1)) END AS given_back
FROM asked a LEFT JOIN raised r ON r.slug = a.slug`;

// An upsert, not an update from a list, which was slower by ten times. The lock goes after the row was written: who
// takes it then waits for this commit. Replies with their headers come as bytes, one after another, in one parameter.
const finishSql = `
WITH durable AS MATERIALIZED (SELECT set_config('synchronous_commit', $3, true)),
finished AS MATERIALIZED (
  SELECT slug, tenant_id, fence, release, reply_record,
    substring($12::bytea FROM reply_at FOR headers_at - reply_at) AS reply,
    convert_from(substring($12 FROM headers_at FOR end_at - headers_at), 'UTF8')::json AS reply_headers
  FROM unnest($4::text[], $5::uuid[], $6::bigint[], $7::boolean[], $8::text[], $9::int[], $10::int[], $11::int[])
    AS f (slug, tenant_id, fence, release, reply_record, reply_at, headers_at, end_at), durable
),
written AS (
  INSERT INTO worker.parts AS p (slug, step, tenant_id, fence, state, reply_record, reply, reply_headers, holder)
  SELECT slug, $1, tenant_id, fence, CASE WHEN reply_record IS NULL THEN 'open' ELSE 'done' END,
    reply_record, reply, reply_headers, CASE WHEN release THEN NULL ELSE $2 END
  FROM finished
  ON CONFLICT (slug, step) DO UPDATE SET
    state = CASE WHEN p.fence = excluded.fence THEN excluded.state ELSE p.state END,
    reply_record = CASE WHEN p.fence = excluded.fence THEN excluded.reply_record ELSE p.reply_record END,
    reply = CASE WHEN p.fence = excluded.fence THEN excluded.reply ELSE p.reply END,
    reply_headers = CASE WHEN p.fence = excluded.fence THEN excluded.reply_headers ELSE p.reply_headers END,
    holder = CASE WHEN excluded.holder IS NULL AND p.holder = $2 THEN NULL ELSE p.holder END,
    updated_at = now()
  RETURNING slug
)
SELECT CASE WHEN f.release THEN pg_advisory_unlock(worker.part_key(f.slug, $1)) END AS given_back
FROM written w JOIN finished f ON f.slug = w.slug`;
