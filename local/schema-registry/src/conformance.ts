/**
 * One suite for every registry: the stand-in in memory, the stand-in on Kafka, and a real one, if there is one to try.
 *
 * Expected answers come from Confluent, never from the stand-in:
 * - API: "Schema Registry API Reference", https://docs.confluent.io/platform/7.8/schema-registry/develop/api.html,
 *   and the OpenAPI file of confluentinc/schema-registry (commit 794611bd, core/generated/swagger-ui/schema-registry-api-spec.yaml)
 * - TEST: core/src/test/java/io/confluent/kafka/schemaregistry/rest/RestApiTest.java there, by method
 */
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import test from "node:test";

export type Answer = { status: number; contentType: string; body: unknown };
export type Call = (
  method: "GET" | "POST" | "PUT" | "DELETE",
  path: string,
  body?: object,
) => Promise<Answer>;

type Field = { name: string; type: unknown; default?: unknown };
const record = (...fields: Field[]): string => JSON.stringify({ type: "record", name: "r", fields });
const f1 = { name: "f1", type: "string" };
const f2 = { name: "f2", type: "string" };
const post = (schema: string) => ({ schema });

/** Declares the suite's tests; `call` is asked for in each test, so that it may be made in a hook. */
export const registryConformance = (name: string, call: Call): void => {
  const used: string[] = [];
  const newSubject = (): string => {
    const subject = `conformance-${randomUUID()}`;
    used.push(subject);
    return subject;
  };
  const ok = async (...request: Parameters<Call>): Promise<unknown> => {
    const answer = await call(...request);
    assert.equal(answer.status, 200, JSON.stringify(answer));
    return answer.body;
  };
  const register = async (subject: string, schema: string): Promise<number> =>
    ((await ok("POST", `/subjects/${subject}/versions`, post(schema))) as { id: number }).id;
  const refused = async (code: number, ...request: Parameters<Call>): Promise<string> => {
    const { status, body } = await call(...request);
    const error = body as { error_code: number; message: string };
    assert.deepEqual(
      [status, error.error_code],
      [Number(String(code).slice(0, 3)), code],
      JSON.stringify(body),
    );
    assert.ok(error.message.length > 0);
    return error.message;
  };
  const story = (title: string, body: () => Promise<void>): void => {
    test(`${name}: ${title}`, async () => {
      try {
        await body();
      } finally {
        for (const subject of used.splice(0)) {
          await call("DELETE", `/subjects/${subject}`);
          await call("DELETE", `/subjects/${subject}?permanent=true`);
        }
      }
    });
  };

  story("the root answers an empty object", async () => {
    // OpenAPI: getRootResource, "The Root resource is a no-op." API, "Content Types".
    const answer = await call("GET", "/");
    assert.deepEqual([answer.status, answer.body], [200, {}]);
    assert.match(answer.contentType, /^application\/vnd\.schemaregistry\.v1\+json/);
  });

  story("a schema is registered once: again, or under another subject, it has the same id", async () => {
    // API, "POST /subjects/(string: subject)/versions"; TEST testBasic, testRegisterSameSchemaOnDifferentSubject
    const [one, other] = [newSubject(), newSubject()];
    const schema = record({ name: `f_${randomUUID().replaceAll("-", "")}`, type: "string" });
    const id = await register(one, schema);
    assert.equal(await register(one, schema), id);
    assert.equal(await register(other, schema), id);
    assert.deepEqual(await ok("GET", `/subjects/${one}/versions`), [1]);
    assert.deepEqual(await ok("GET", `/subjects/${other}/versions/1`), {
      subject: other,
      version: 1,
      id,
      schema,
    });
  });

  story("white space does not make another schema", async () => {
    // TEST testCanonicalization
    const subject = newSubject();
    const id = await register(subject, '{   "type":   "string"}');
    assert.equal(await register(subject, '"string"'), id);
    const found = (await ok("POST", `/subjects/${subject}`, post('{"type":"string"}'))) as { id: number };
    assert.equal(found.id, id);
  });

  story("versions count up, and are read by number and as latest", async () => {
    // API, "GET /subjects/(string: subject)/versions/(versionId: version)"; TEST testGetVersion, testGetVersionSchemaOnly
    const subject = newSubject();
    const [first, second] = [record(f1), record(f1, { ...f2, default: "" })];
    const ids = [await register(subject, first), await register(subject, second)];
    assert.deepEqual(await ok("GET", `/subjects/${subject}/versions`), [1, 2]);
    const latest = { subject, version: 2, id: ids[1], schema: second };
    assert.deepEqual(await ok("GET", `/subjects/${subject}/versions/latest`), latest);
    assert.deepEqual(await ok("GET", `/subjects/${subject}/versions/2`), latest);
    assert.deepEqual(await ok("GET", `/subjects/${subject}/versions/2/schema`), JSON.parse(second));
    assert.deepEqual(await ok("GET", `/schemas/ids/${ids[0]}`), { schema: first });
    assert.ok(((await ok("GET", "/subjects")) as string[]).includes(subject));
    const lookedUp = { subject, version: 1, id: ids[0], schema: first };
    assert.deepEqual(
      await ok("POST", `/subjects/${subject}`, post(first)),
      lookedUp,
      'API, "POST /subjects/(string: subject)"',
    );
  });

  story(
    "what is not there is told apart: subject 40401, version 40402, schema 40403, level 40408",
    async () => {
      // API, status codes of each call; TEST testListVersionsNonExistingSubject, testGetNonExistingVersion,
      // testGetSchemaNonExistingId, testLookUp(SchemaUnderNonExistentSubject|NonExistentSchemaUnderSubject), testGetConfigNonExistentSubject
      const [subject, missing] = [newSubject(), newSubject()];
      await register(subject, record(f1));
      await refused(40401, "GET", `/subjects/${missing}/versions`);
      await refused(40401, "GET", `/subjects/${missing}/versions/1`);
      await refused(40401, "POST", `/subjects/${missing}`, post(record(f1)));
      await refused(40401, "DELETE", `/subjects/${missing}`);
      await refused(40402, "GET", `/subjects/${subject}/versions/200`);
      await refused(40402, "POST", `/compatibility/subjects/${subject}/versions/100`, post(record(f1)));
      await refused(40403, "GET", "/schemas/ids/2147483000");
      await refused(40403, "POST", `/subjects/${subject}`, post(record(f1, f2)));
      await refused(40408, "GET", `/config/${missing}`);
    },
  );

  story("what is no schema, version, level or subject is refused: 42201, 42202, 42203, 42208", async () => {
    // API, status codes; TEST testRegisterInvalidSchemaBadType, testRegisterBadDefault, testGetInvalidVersion,
    // testCompatibilityInvalidVersion, testRegisterInvalidSubject
    const subject = newSubject();
    await register(subject, record(f1));
    const versions = `/subjects/${subject}/versions`;
    assert.match(await refused(42201, "POST", versions, post(record({ name: "f", type: "str" }))), /str/);
    await refused(42201, "POST", versions, post(record({ name: "f", type: "string", default: null })));
    await refused(42201, "POST", versions, post("{"));
    await refused(42202, "GET", `${versions}/0`);
    await refused(42202, "POST", `/compatibility/subjects/${subject}/versions/earliest`, post(record(f1)));
    await refused(42203, "PUT", `/config/${subject}`, { compatibility: "SIDEWAYS" });
    await refused(
      42208,
      "POST",
      `/subjects/${encodeURIComponent("\rbad\nsubject\t")}/versions`,
      post(record(f1)),
    );
  });

  story("an incompatible schema is refused with 409, and why; the level decides", async () => {
    // API, "POST /subjects/(string: subject)/versions": "409 Conflict - Incompatible schema"; TEST testIncompatibleSchemaBySubject
    const subject = newSubject();
    const versions = `/subjects/${subject}/versions`;
    await register(subject, record(f1, f2));
    await register(subject, record(f1));
    const next = record(f1, { name: "f3", type: "string" });
    await ok("PUT", `/config/${subject}`, { compatibility: "FORWARD_TRANSITIVE" });
    const asked = (version: string) => ok("POST", `/compatibility${versions}${version}`, post(next));
    assert.deepEqual(await asked("/latest"), { is_compatible: true }, "compatible with the latest version");
    assert.deepEqual(await asked(""), { is_compatible: false }, "not with all of them");
    const { messages } = (await asked("?verbose=true")) as { messages: string[] };
    assert.ok(messages.length > 0);
    const { status, body } = await call("POST", versions, post(next));
    const error = body as { error_code: number; message: string };
    // 409 up to platform 8.0; later sources say 40901 (Errors.java, INCOMPATIBLE_SCHEMA_ERROR_CODE).
    assert.equal(status, 409);
    assert.ok([409, 40901].includes(error.error_code));
    for (const told of ["oldSchemaVersion:", "oldSchema:", "compatibility:"])
      assert.ok(error.message.includes(told));
    await ok("PUT", `/config/${subject}`, { compatibility: "NONE" });
    await register(subject, next);
  });

  story("a subject that is not there is compatible with anything that asks for its latest", async () => {
    // TEST testCompatibilityNonExistentSubject
    const path = `/compatibility/subjects/${newSubject()}/versions`;
    assert.deepEqual(await ok("POST", `${path}/latest`, post(record(f1))), { is_compatible: true });
    assert.deepEqual(await ok("POST", path, post(record(f1))), { is_compatible: true });
  });

  story("a level belongs to a subject, which may come later, or to all", async () => {
    // API, "PUT /config/(string: subject)", "GET /config/(string: subject)"; TEST testNonExistentSubjectConfigChange
    const subject = newSubject();
    const global = await ok("GET", "/config");
    assert.deepEqual(await ok("GET", `/config/${subject}?defaultToGlobal=true`), global);
    const full = { compatibility: "FULL_TRANSITIVE" };
    assert.deepEqual(await ok("PUT", `/config/${subject}`, full), full);
    assert.deepEqual(await ok("GET", `/config/${subject}`), { compatibilityLevel: "FULL_TRANSITIVE" });
    assert.deepEqual(await ok("GET", "/config"), global);
  });

  story(
    "a subject is deleted softly, then for good; its schema stays readable by id in between",
    async () => {
      // API, "DELETE /subjects/(string: subject)"; TEST testDeleteSubjectBasic, testDeleteSubjectPermanent, testDeleteSubjectException
      const subject = newSubject();
      const schema = record({ name: `f_${randomUUID().replaceAll("-", "")}`, type: "string" });
      const id = await register(subject, schema);
      await refused(40405, "DELETE", `/subjects/${subject}?permanent=true`);
      assert.deepEqual(await ok("DELETE", `/subjects/${subject}`), [1]);
      await refused(40404, "DELETE", `/subjects/${subject}`);
      await refused(40401, "GET", `/subjects/${subject}/versions`);
      assert.deepEqual(await ok("GET", `/schemas/ids/${id}`), { schema });
      assert.deepEqual(await ok("DELETE", `/subjects/${subject}?permanent=true`), [1]);
      await refused(40403, "GET", `/schemas/ids/${id}`);
    },
  );
};
