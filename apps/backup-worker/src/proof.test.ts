import assert from "node:assert/strict";
import { test } from "node:test";
import type { Problem } from "@deeplens/backup";
import { aDatabasePart, aManifest, aVectorsPart } from "@deeplens/backup/testing/manifests";
import { strangeContents } from "./look-into-volume.ts";
import { proofProblems } from "./proof.ts";

const manifest = aManifest();
const { id, tenantId, slug } = manifest;
const damaged = (message: string): Problem => ({ code: "damaged", message });
const expected = { tenantId, slug, database: "tenant_acme_metadata", collection: "images" };
const problems = (
  changes: Parameters<typeof aManifest>[0],
  found: readonly Problem[] = [],
): readonly string[] => proofProblems({ manifest: aManifest(changes), problems: found }, expected);

test("a whole backup of this tenant proves the step", () => {
  assert.deepEqual(problems({}), []);
  const verification = { manifest, problems: [] };
  assert.deepEqual(proofProblems(verification, { ...expected, collection: undefined }), []);
});

test("a backup of another tenant, without a part, of another database, or damaged, proves nothing", () => {
  assert.match(problems({ tenantId: "00000000-0000-5000-8000-000000000000" }).join(), /names tenant acme/);
  assert.match(problems({ slug: "acme-2" }).join(), /names tenant acme-2/);
  assert.match(problems({ parts: [aDatabasePart()] }).join(), /no snapshot of any collection/);
  assert.match(problems({ parts: [aVectorsPart()] }).join(), /no dump of the database/);
  assert.match(
    problems({ parts: [aDatabasePart({ database: "tenant_other_metadata" }), aVectorsPart()] }).join(),
    /no dump of the database tenant_acme_metadata/,
  );
  assert.match(
    problems({ parts: [aDatabasePart(), aVectorsPart({ collection: "other" })] }).join(),
    /no snapshot of the collection images/,
  );
  assert.deepEqual(problems({}, [damaged("database.dump: ENOENT")]), ["database.dump: ENOENT"]);
  assert.deepEqual(proofProblems({ problems: [damaged("manifest.json: ENOENT")] }, expected), [
    "manifest.json: ENOENT",
  ]);
  assert.equal(proofProblems({ problems: [] }, expected).length, 1);
});

test("only this tenant's own backups may be destroyed with its volume", () => {
  assert.deepEqual(strangeContents({ backups: [manifest], damaged: [], unknown: [] }, tenantId), []);
  const contents = {
    backups: [manifest],
    damaged: [{ id, reason: "manifest.json: ENOENT" }],
    unknown: ["notes.txt"],
  };
  assert.equal(strangeContents(contents, "00000000-0000-5000-8000-000000000000").length, 3);
  assert.equal(strangeContents(contents, tenantId).length, 2);
});
