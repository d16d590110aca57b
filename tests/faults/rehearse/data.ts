import assert from "node:assert/strict";
import { randomInt } from "node:crypto";
import type { Installation } from "@deeplens/e2e/support";
import { minioRoot } from "@deeplens/e2e/traces";
import { createClient, quoteIdentifier } from "@deeplens/postgres";
import type { Stage } from "./stage.ts";

/** What a tenant has of its own, counted. */
export interface Data {
  readonly rows: number;
  readonly points: number;
  readonly objects: number;
}

export const tenant = "acme";

/** Puts one more row, point and object of the tenant's where they belong. */
export const addData = ({ looking }: Stage): Promise<void> =>
  looking(async (installation) => {
    const place = randomInt(2 ** 31);
    const { resources, secrets } = await installation.api.revealCredentials(tenant, "a rehearsal");
    const owner = quoteIdentifier(resources["database.ownerRole"] ?? "tenant_acme_owner");
    await inDatabase(installation, resources["database.database"], [
      `SET ROLE ${owner}`,
      "CREATE TABLE IF NOT EXISTS rehearsal (n int PRIMARY KEY)",
      `INSERT INTO rehearsal VALUES (${place})`,
    ]);
    const vector = Array.from({ length: Number(resources["vectors.vectorSize"]) }, (_, index) => index / 512);
    const answer = await fetch(`${pointsUrl(resources)}?wait=true`, {
      method: "PUT",
      headers: { "api-key": secrets["vectors.api-key"] ?? "", "content-type": "application/json" },
      body: JSON.stringify({ points: [{ id: place, vector, payload: { rehearsal: true } }] }),
    });
    assert.equal(answer.status, 200, await answer.text());
    await minioRoot(installation).putObject(
      resources["storage.bucket"] ?? "",
      `rehearsal/${place}`,
      "theirs",
    );
  });

/** Counts what the tenant has now; a thing that is not there counts nothing. */
export const countData = ({ looking }: Stage): Promise<Data> =>
  looking(async (installation) => {
    const { resources, secrets } = await installation.api.revealCredentials(tenant, "a rehearsal");
    const [rows] = await inDatabase(installation, resources["database.database"], [
      "SELECT CASE WHEN to_regclass('rehearsal') IS NULL THEN 0 ELSE (xpath('//n/text()', query_to_xml('SELECT count(*) AS n FROM rehearsal', false, true, '')))[1]::text::int END AS n",
    ]);
    const answer = await fetch(`${pointsUrl(resources)}/count`, {
      method: "POST",
      headers: { "api-key": secrets["vectors.api-key"] ?? "", "content-type": "application/json" },
      body: JSON.stringify({ exact: true }),
    });
    const { result } = (await answer.json()) as { result: { count: number } };
    const objects = minioRoot(installation).listObjectsV2(
      resources["storage.bucket"] ?? "",
      "rehearsal/",
      true,
    );
    return { rows: Number(rows?.n), points: result.count, objects: (await objects.toArray()).length };
  });

const pointsUrl = (resources: Readonly<Record<string, string>>): string =>
  `http://127.0.0.1:${resources["vectors.httpPort"]}/collections/${resources["vectors.collection"]}/points`;

const inDatabase = async (
  { services: { tenantDb } }: Installation,
  database: string | undefined,
  statements: readonly string[],
): Promise<readonly { readonly n?: number }[]> => {
  const { host, port, adminUser: user, password } = tenantDb;
  const client = createClient({ host, port, user, password, database: database ?? "" }, "rehearsal");
  await client.connect();
  try {
    let rows: readonly { readonly n?: number }[] = [];
    for (const statement of statements) ({ rows } = await client.query(statement));
    return rows;
  } finally {
    await client.end();
  }
};
