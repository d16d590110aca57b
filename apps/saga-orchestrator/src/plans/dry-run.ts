import { inTransaction, quoteIdentifier } from "@deeplens/postgres";
import type { ApiContext } from "../api/context.ts";
import { applyInputs, keysOf } from "../engine/apply.ts";
import { type Batch, newBatch } from "../saga/batch.ts";
import type { InboxBody, InboxResult } from "../saga/inbox.ts";
import { readBatch } from "../store/read-batch.ts";

export type Rehearsed = { readonly result: InboxResult; readonly batch: Batch };

/**
 * What the shard's owner would answer to this row of the inbox now, by the function that answers it, and the batch that
 * it would write. Nothing is written: a plan that says "refused" is refused by the rule that refuses the act.
 */
export const dryRun = async (
  { db, schema, installation, shards, settings, kind }: ApiContext,
  shard: number,
  body: Extract<InboxBody, { kind: "request" | "tenant" }>,
): Promise<Rehearsed> => {
  const input = { from: "inbox", id: 0, shard, body } as const;
  const { shardRows, ...read } = await inTransaction(db.pool, async (client) => {
    await client.query(`SET TRANSACTION READ ONLY; SET LOCAL search_path TO ${quoteIdentifier(schema)}`);
    return readBatch(client, schema, new Map(), keysOf([input], kind.kind));
  });
  const batch = newBatch({ now: new Date(), installation, shards, settings, kind }, read);
  const { inboxResults } = applyInputs(batch, shardRows, [input]);
  return { result: inboxResults[0]?.result as InboxResult, batch };
};
