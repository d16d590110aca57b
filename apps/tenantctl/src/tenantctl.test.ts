import assert from "node:assert/strict";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import {
  type Answer,
  type FakeApi,
  planOf,
  problem,
  sagaId,
  sagaOf,
  startFakeApi,
  stepOf,
  tenantId,
  tenantOf,
} from "./testing/fake-api.ts";
import { type Ran, runInProcess } from "./testing/run-cli.ts";

const folder = mkdtempSync(join(tmpdir(), "tenantctl-"));
const state = join(folder, "deeplens", "deeplens");
const token = "a-token-of-the-tests";
mkdirSync(state, { recursive: true });
writeFileSync(join(state, "api-token"), `${token}\n`);
after(() => rmSync(folder, { recursive: true, force: true }));

/** Runs the command line against an API that gives these answers. */
const against = (answers: Readonly<Record<string, Answer>>, ...args: string[]) =>
  typing("", answers, ...args);

/** The same with a text on standard input. */
const typing = async (
  typed: string,
  answers: Readonly<Record<string, Answer>>,
  ...args: string[]
): Promise<Ran & { calls: FakeApi["calls"] }> => {
  const api = await startFakeApi(answers);
  const home = mkdtempSync(join(folder, "state-"));
  mkdirSync(join(home, "deeplens", "deeplens"), { recursive: true });
  writeFileSync(
    join(home, "deeplens", "deeplens", "stack.json"),
    JSON.stringify({ api: { url: api.url, tokenFile: join(state, "api-token") } }),
  );
  try {
    return { ...(await runInProcess(args, home, typed)), calls: api.calls };
  } finally {
    await api.close();
  }
};
const ok = (body: unknown): Answer => ({ status: 200, body });

const createFlags = [
  "--tier",
  "free",
  "--storage",
  "deeplens",
  "--admin-email",
  "ada@acme.example",
  "--admin-name",
  "Ada King Lovelace",
];
const accepted = { tenantId, slug: "acme", sagaId, status: "running", repeated: false, inboxId: 1 };
const running = sagaOf({
  status: "running",
  finishedAt: null,
  steps: [
    stepOf("database", {
      phase: "working",
      state: "running",
      durationMs: null,
      finishedAt: null,
      progress: "roles",
    }),
    stepOf("storage", { phase: "waiting", state: "pending", commandedAt: null }),
  ],
});

test("create sends what the flags say, shows the progress line by line, and ends with 0 for a ready tenant", async () => {
  const { code, stdout, calls } = await against(
    {
      "POST /v1/tenants": { status: 202, body: accepted },
      [`GET /v1/sagas/${sagaId}/events`]: {
        events: [
          { type: "saga", saga: running },
          { type: "saga", saga: sagaOf() },
          { type: "end", status: "ready" },
        ],
      },
      [`GET /v1/sagas/${sagaId}`]: ok(sagaOf()),
      [`GET /v1/tenants/${tenantId}`]: ok(tenantOf()),
    },
    "create",
    "Acme",
    ...createFlags,
    "--request-id",
    "order-1",
  );
  assert.equal(code, 0);
  assert.match(stdout, /database working roles\n/);
  assert.match(stdout, /database done \(1\.9 s\)\n/);
  assert.match(stdout, /The tenant acme is ready after 4\.0 s/);
  assert.match(stdout, /storage\.bucket +deeplens-acme/);
  const [request] = calls;
  assert.equal(request?.headers.authorization, `Bearer ${token}`);
  assert.equal(request?.headers["idempotency-key"], "order-1");
  assert.match(String(request?.headers["x-deeplens-actor"]), /@/);
  assert.deepEqual(request?.body, {
    name: "Acme",
    tier: "free",
    storage: { type: "deeplens" },
    administrator: { email: "ada@acme.example", firstName: "Ada", lastName: "King Lovelace" },
  });
});

test("create of a tenant that is rolled back says why and what was removed, and ends with 1", async () => {
  const rolledBack = sagaOf({
    status: "rolled-back",
    error: { step: "storage", code: "bucket-owned-by-other", message: "the bucket belongs to somebody else" },
    steps: [
      stepOf("database", {
        phase: "undone",
        receipt: [{ kind: "database", name: "tenant_acme_metadata", outcome: "removed" }],
      }),
      stepOf("storage", {
        phase: "undone",
        receipt: [{ kind: "bucket", name: "deeplens-acme", outcome: "foreign" }],
      }),
    ],
  });
  const { code, stdout } = await against(
    {
      "POST /v1/tenants": { status: 202, body: accepted },
      [`GET /v1/sagas/${sagaId}/events`]: {
        events: [
          { type: "saga", saga: rolledBack },
          { type: "end", status: "rolled-back" },
        ],
      },
      [`GET /v1/sagas/${sagaId}`]: ok(rolledBack),
      [`GET /v1/tenants/${tenantId}`]: ok(tenantOf({ state: "rolled-back", resources: {} })),
    },
    "create",
    "acme",
    ...createFlags,
  );
  assert.equal(code, 1);
  assert.match(stdout, /was not made: step storage: the bucket belongs to somebody else/);
  assert.match(stdout, /database: database tenant_acme_metadata was removed/);
  assert.match(stdout, /storage: bucket deeplens-acme is another owner's: left alone/);
});

test("create without a terminal names every flag that is missing and asks the API nothing", async () => {
  const { code, stderr, calls } = await against({}, "create", "acme", "--tier", "free");
  assert.equal(code, 2);
  assert.match(stderr, /--storage, --admin-email, --admin-name/);
  assert.equal(calls.length, 0);
});

test("create of a name that breaks a rule is refused at once, with the rule", async () => {
  const { code, stderr, calls } = await against({}, "create", "../etc", ...createFlags);
  assert.equal(code, 2);
  assert.match(stderr, /name: has "\/" \(U\+002F\) in it/);
  assert.equal(calls.length, 0);
});

test("create of a name that is taken ends with 2 and the API's reason, as JSON too", async () => {
  const answers = {
    "POST /v1/tenants": { status: 409, body: problem(409, "slug-taken", 'name: its slug "acme" is taken') },
  };
  const plain = await against(answers, "create", "acme", ...createFlags);
  assert.equal(plain.code, 2);
  assert.match(plain.stderr, /its slug "acme" is taken\n {2}what to do: choose another name/);
  const json = await against(answers, "create", "acme", ...createFlags, "--json");
  assert.equal(json.code, 2);
  assert.equal(JSON.parse(json.stdout).error.code, "slug-taken");
  assert.equal(json.stderr, "");
});

test("create that found no orchestrator at once waits in the inbox for its saga", async () => {
  const { code } = await against(
    {
      "POST /v1/tenants": { status: 202, body: { ...accepted, sagaId: null, status: "waiting", inboxId: 5 } },
      "GET /v1/inbox/5": ok({ inboxId: 5, kind: "request", result: { ok: true, sagaId } }),
      [`GET /v1/sagas/${sagaId}/events`]: { events: [{ type: "end", status: "ready" }] },
      [`GET /v1/sagas/${sagaId}`]: ok(sagaOf()),
      [`GET /v1/tenants/${tenantId}`]: ok(tenantOf()),
    },
    "create",
    "acme",
    ...createFlags,
  );
  assert.equal(code, 0);
});

test("create --json prints one document; the progress goes to standard error", async () => {
  const { stdout, stderr } = await against(
    {
      "POST /v1/tenants": { status: 202, body: accepted },
      [`GET /v1/sagas/${sagaId}/events`]: {
        events: [
          { type: "saga", saga: running },
          { type: "end", status: "ready" },
        ],
      },
      [`GET /v1/sagas/${sagaId}`]: ok(sagaOf()),
      [`GET /v1/tenants/${tenantId}`]: ok(tenantOf()),
    },
    "create",
    "acme",
    ...createFlags,
    "--json",
  );
  const document = JSON.parse(stdout);
  assert.deepEqual([document.slug, document.state, document.saga.status], ["acme", "ready", "ready"]);
  assert.match(stderr, /database working/);
});

test("status shows what the tenant waits for, with the reason and the time", async () => {
  const saga = sagaOf({
    status: "running",
    finishedAt: null,
    steps: [
      stepOf("vectors", {
        phase: "retrying",
        state: "backingOff",
        attempts: 3,
        nextTryAt: "2099-01-01T00:00:00.000Z",
        error: { code: "no-port", message: "no port pair is free" },
      }),
    ],
    waitingFor: [
      { timer: "backOff", step: "vectors", what: "the next try: vectors", until: "2099-01-01T00:00:00.000Z" },
    ],
  });
  const { code, stdout } = await against(
    {
      "GET /v1/tenants/acme-corp": ok(tenantOf({ slug: "acme-corp", state: "provisioning", resources: {} })),
      [`GET /v1/sagas/${sagaId}`]: ok(saga),
    },
    "status",
    "Acme Corp",
  );
  assert.equal(code, 0);
  assert.match(stdout, /Tenant acme-corp is provisioning/);
  assert.match(stdout, /vectors +retrying +try 4 of 5 in \d+ d \d+ h .*no port pair is free \(no-port\)/);
  assert.match(stdout, /the next try: vectors, until 2099-01-01 00:00:00 UTC/);
  assert.match(stdout, /To try at once: tenantctl retry acme/);
});

test("list asks for tenants that are there; names that could play with a terminal are made visible", async () => {
  const { stdout, calls } = await against(
    { "GET /v1/tenants": ok({ items: [tenantOf({ name: "Ac\u001b[2Jme" })], next: null }) },
    "list",
  );
  assert.match(stdout, /^SLUG +STATE/);
  assert.match(stdout, /acme +ready +free +deeplens/);
  assert.ok(!stdout.includes("\u001b"));
  assert.match(calls[0]?.path ?? "", /state=provisioning%2Cready%2Ccompensating%2Cstuck/);
});

test("saga shows the history as a timeline", async () => {
  const { stdout } = await against(
    {
      [`GET /v1/sagas/${sagaId}`]: ok(sagaOf()),
      [`GET /v1/sagas/${sagaId}/history`]: ok({
        items: [
          { id: 1, at: "2026-01-01T12:00:00.000Z", event: "requested", step: null, fence: null, body: {} },
          {
            id: 2,
            at: "2026-01-01T12:00:02.500Z",
            event: "StepCompleted",
            step: "database",
            fence: 1,
            body: { moved: { database: ["running", "done"] } },
          },
        ],
        next: null,
      }),
    },
    "saga",
    sagaId,
  );
  assert.match(stdout, /\+2\.5 s +database +StepCompleted +database running -> done/);
});

test("an act sends its reason and who acts; one on a saga that moved on ends with 2 and the present state", async () => {
  const path = `POST /v1/sagas/${sagaId}/retry`;
  const done = await against(
    { [path]: ok({ inboxId: 1, sagaId, tenantId, status: "running" }) },
    "retry",
    sagaId,
    "--reason",
    "the disk is free",
    "--step",
    "storage",
  );
  assert.equal(done.code, 0);
  assert.deepEqual(done.calls[0]?.body, { reason: "the disk is free", step: "storage" });
  const moved = await against(
    { [path]: { status: 409, body: { ...problem(409, "nothing-to-retry", "it is ready"), state: "ready" } } },
    "retry",
    sagaId,
    "--reason",
    "the disk is free",
    "--json",
  );
  assert.equal(moved.code, 2);
  assert.equal(JSON.parse(moved.stdout).error.state, "ready");
  const silent = await against({}, "abort", sagaId);
  assert.equal(silent.code, 2);
  assert.match(silent.stderr, /--reason/);
});

test("shards: what stopped and why; accepting one says from where it is read on", async () => {
  const partition = (stopped: string | null) => ({ next: 5, stopped });
  const items = [{ shard: 0, requests: partition("the topic was made again"), replies: partition(null) }];
  const listed = await against({ "GET /v1/shards": ok({ items }) }, "shards");
  assert.match(listed.stdout, /0 +requests +5 +the topic was made again\n0 +replies +5\n/);
  const path = "POST /v1/shards/0/accept";
  const act = { inboxId: 4, shard: 0, stream: "requests", from: "beginning", next: 0 };
  const why = ["--stream", "requests", "--reason", "it was made again"];
  const accepted = await against({ [path]: ok(act) }, "shards", "accept", "0", ...why);
  assert.equal(accepted.code, 0);
  assert.match(accepted.stdout, /requests of shard 0 is read on from offset 0/);
  assert.deepEqual(accepted.calls[0]?.body, {
    stream: "requests",
    from: "beginning",
    reason: "it was made again",
  });
  for (const wrong of [["0"], ["0", "--stream", "commands"], ["x", ...why]])
    assert.equal((await against({}, "shards", "accept", ...wrong)).code, 2, wrong.join(" "));
});

const credentials = ok({
  tenantId,
  slug: "acme",
  name: "Acme",
  resources: { "database.database": "tenant_acme_metadata" },
  secrets: { "database.app": "s3cret" },
});

test("credentials are not shown without a yes; with it they go into a new file for its owner only", async () => {
  const answers = {
    "GET /v1/tenants/acme": ok(tenantOf()),
    [`POST /v1/tenants/${tenantId}/credentials/reveal`]: credentials,
  };
  const asked = await against(answers, "credentials", "acme");
  assert.equal(asked.code, 2);
  assert.ok(asked.calls.every(({ method }) => method === "GET"));
  const file = join(folder, "acme.txt");
  const written = await against(
    answers,
    "credentials",
    "acme",
    "--yes",
    "--out",
    file,
    "--reason",
    "hand-over",
  );
  assert.equal(written.code, 0);
  assert.ok(!written.stdout.includes("s3cret"));
  assert.equal(statSync(file).mode & 0o777, 0o600);
  assert.match(readFileSync(file, "utf8"), /database\.app \(secret\) +s3cret/);
  assert.deepEqual(written.calls.at(-1)?.body, { reason: "hand-over" });
  const again = await against(answers, "credentials", "acme", "--yes", "--out", file);
  assert.equal(again.code, 2);
  assert.match(again.stderr, /never written over/);
  assert.ok(again.calls.every(({ method }) => method === "GET"));
});

test("credentials that are refused leave no file behind", async () => {
  const file = join(folder, "early.txt");
  const { code } = await against(
    {
      "GET /v1/tenants/acme": ok(tenantOf({ state: "provisioning" })),
      [`POST /v1/tenants/${tenantId}/credentials/reveal`]: {
        status: 409,
        body: problem(409, "tenant-not-ready", "the tenant acme is provisioning"),
      },
    },
    "credentials",
    "acme",
    "--yes",
    "--out",
    file,
  );
  assert.equal(code, 2);
  assert.equal(existsSync(file), false);
});

test("config get api prints the API's address and nothing else", async () => {
  const { code, stdout } = await against({}, "config", "get", "api");
  assert.equal(code, 0);
  assert.match(stdout, /^http:\/\/127\.0\.0\.1:\d+\n$/);
});

test("a mistyped command suggests the right one and ends with 2; help has examples and the exit codes", async () => {
  const typo = await runInProcess(["stauts"], folder);
  assert.equal(typo.code, 2);
  assert.match(typo.stderr, /Did you mean status\?/);
  const help = await runInProcess(["--help"], folder);
  assert.equal(help.code, 0);
  assert.match(help.stdout, /Examples:[\s\S]*Exit codes:\n {2}0 {2}done/);
  const one = await runInProcess(["create", "--help"], folder);
  assert.match(one.stdout, /Examples:[\s\S]*--admin-email/);
});

test("wrong usage is one JSON document too where a program asked", async () => {
  for (const [args, said] of [
    [["stauts", "acme"], /unknown command 'stauts'.*Did you mean status\?/],
    [["status"], /missing required argument 'name'/],
    [[], /no command was given/],
    [["list", "--limit", "abc"], /--limit.*whole number from 1 to 200/],
  ] as const) {
    const { code, stdout, stderr } = await runInProcess([...args, "--json"], folder);
    assert.equal(code, 2);
    assert.equal(stderr, "");
    const { error } = JSON.parse(stdout);
    assert.equal(error.code, "usage");
    assert.match(error.message, said);
  }
});

test("a flag with a wrong value is refused with the rule, and the API is not asked", async () => {
  for (const [args, said] of [
    [["list", "--limit", "0"], /whole number from 1 to 200/],
    [["list", "--state", "ready,redy"], /"redy" is none of provisioning, ready/],
    [["sagas", "--status", "finished"], /"finished" is none of running/],
    [["list", "--api", "localhost"], /address like http:/],
  ] as const) {
    const { code, stderr, calls } = await against({}, ...args);
    assert.equal(code, 2);
    assert.match(stderr, said);
    assert.deepEqual(calls, []);
  }
});

test("what to do is said in this program's words, not in calls of the API", async () => {
  for (const [status, code] of [
    [404, "tenant-not-found"],
    [401, "token-wrong"],
    [409, "already-ready"],
  ] as const) {
    const body = { ...problem(status, code, "no"), sagaId, state: "ready", next: "GET /v1/something" };
    const { stderr } = await against({ "GET /v1/tenants/acme": { status, body } }, "status", "acme");
    assert.match(stderr, /what to do: .*tenantctl/);
    assert.doesNotMatch(stderr, /\/v1\//);
  }
});

test("create whose answer was lost names the id that keeps it one request", async () => {
  const { code, stdout } = await runInProcess(
    ["create", "acme", ...createFlags, "--api", "http://127.0.0.1:1", "--json"].concat([
      "--token-file",
      join(state, "api-token"),
    ]),
    folder,
  );
  assert.equal(code, 1);
  const { error } = JSON.parse(stdout);
  assert.equal(error.code, "api-unreachable");
  assert.match(error.next, /--request-id [0-9a-f-]{36}/);
});

test("where nothing was set up, and where nothing answers, it says what to do", async () => {
  const bare = await runInProcess(["list"], join(folder, "nowhere"));
  assert.equal(bare.code, 2);
  assert.match(bare.stderr, /not set up here[\s\S]*npm start/);
  const away = await runInProcess(
    ["list", "--api", "http://127.0.0.1:1", "--token-file", join(state, "api-token")],
    folder,
  );
  assert.equal(away.code, 1);
  assert.match(away.stderr, /does not answer/);
});

const byosFlags = [...createFlags.filter((flag) => flag !== "--storage" && flag !== "deeplens")];
const reference = "drop:0f8b6f3e-5c1d-4c39-9d2e-3b0a5e6f7a81";

test("create with storage of the tenant's own sends where it is and the reference; its flags mean byos", async () => {
  const { calls } = await against(
    { "POST /v1/tenants": { status: 422, body: problem(422, "credentials-unknown", "there are none") } },
    ...["create", "acme", ...byosFlags, "--byos-provider", "aws_s3", "--byos-bucket", "acme-images"],
    ...["--byos-endpoint", "https://s3.acme.example", "--byos-prefix", "deeplens", "--byos-path-style"],
    ...["--secret", reference],
  );
  assert.deepEqual((calls[0]?.body as { storage: unknown } | undefined)?.storage, {
    type: "byos",
    provider: "aws_s3",
    bucket: "acme-images",
    endpoint: "https://s3.acme.example",
    prefix: "deeplens",
    pathStyle: true,
    credentialRef: reference,
  });
});

test("create names every flag that storage of the tenant's own misses, and what breaks a rule, before it asks the API", async () => {
  const bare = await against({}, "create", "acme", ...byosFlags, "--storage", "byos");
  assert.equal(bare.code, 2);
  assert.match(bare.stderr, /--byos-provider, --byos-bucket, --secret/);
  const own = ["--byos-provider", "aws_s3", "--byos-bucket", "acme-images", "--secret", reference];
  for (const [flags, says] of [
    [own, /storage\.region: is missing: give the bucket's region, or an endpoint/],
    [[...own, "--byos-endpoint", "s3.example"], /storage\.endpoint: /],
    [["--storage", "deeplens", "--byos-bucket", "acme"], /storage\.bucket: is for byos only/],
  ] as const) {
    const refused = await against({}, "create", "acme", ...byosFlags, ...flags);
    assert.equal(refused.code, 2);
    assert.match(refused.stderr, says);
    assert.deepEqual(refused.calls, []);
  }
});

const dropped = { reference, provider: "aws_s3", expiresAt: "2026-01-02T00:00:00.000Z" };
const s3Key = { accessKeyId: "AKIAIOSFODNN7EXAMPLE", secretAccessKey: "hush-hush" };

test("secret put sends what a file or standard input holds, and prints the reference alone on its line", async () => {
  const file = join(folder, "key.json");
  writeFileSync(file, JSON.stringify(s3Key));
  const put = await against({ "POST /v1/secrets": { status: 201, body: dropped } }, "secret", "put", file);
  assert.equal(put.code, 0, put.stderr);
  assert.deepEqual(put.calls[0]?.body, { credentials: s3Key });
  assert.equal(put.stdout.split("\n")[0], reference);
  assert.ok(!put.stdout.includes("hush"));

  const connectionString = `AccountName=acme;AccountKey=${Buffer.alloc(64, 7).toString("base64")}`;
  const piped = await typing(
    `${connectionString}\n`,
    { "POST /v1/secrets": { status: 201, body: dropped } },
    "secret",
    "put",
    "-",
  );
  assert.equal(piped.code, 0, piped.stderr);
  assert.deepEqual(piped.calls[0]?.body, { credentials: { connectionString } });
});

test("secret replace tells what it will do, names the reference alone, and looks at the tenant with the new ones", async () => {
  const answers = {
    "GET /v1/tenants/acme": ok(tenantOf({ storageType: "byos" })),
    [`GET /v1/tenants/${tenantId}`]: ok(tenantOf({ storageType: "byos" })),
    "POST /v1/tenants/acme/plans/replace-credentials": ok(planOf("replace-credentials")),
    "POST /v1/tenants/acme/replace-credentials": { status: 202, body: { ...accepted, status: "running" } },
    [`GET /v1/sagas/${sagaId}/events`]: { events: [{ type: "end", status: "done" }] },
    [`GET /v1/sagas/${sagaId}`]: ok(sagaOf({ kind: "replace-credentials", status: "done" })),
    [`POST /v1/tenants/${tenantId}/health`]: ok({
      tenantId,
      slug: "acme",
      state: "ready",
      status: "well",
      parts: [],
    }),
  } as const;
  const asked = ["secret", "replace", "acme", reference, "--reason", "it expires"];
  const replaced = await against(answers, ...asked, "--yes");
  assert.equal(replaced.code, 0, replaced.stderr);
  assert.match(replaced.stdout, /replace-credentials of acme is done; the tenant is ready/);
  assert.match(replaced.stdout, /Replace-credentials acme .*\n {2}what the orchestrator says/);
  assert.match(replaced.stdout, /acme is well/);
  const act = replaced.calls.find(({ method, path }) => method === "POST" && !path.includes("/plans/"));
  assert.deepEqual(act?.body, { tenantId, reason: "it expires", credentialRef: reference });
  const unasked = await against(answers, ...asked);
  assert.equal(unasked.code, 2);
  assert.ok(unasked.calls.every(({ method, path }) => method === "GET" || path.includes("/plans/")));
});

test("secret put refuses what is no credential before anything leaves the machine, and repeats none of it", async () => {
  for (const typed of ["hush", '{"password": "hush"}', '{"accessKeyId": "hush"}', ""]) {
    const { code, stderr, calls } = await typing(typed, {}, "secret", "put", "-");
    assert.equal(code, 2);
    assert.match(stderr, /credentials: /);
    assert.ok(!stderr.includes("hush"), stderr);
    assert.deepEqual(calls, []);
  }
  const argument = await against({}, "secret", "put", "AKIA:hush-hush");
  assert.equal(argument.code, 2);
  assert.ok(!argument.stderr.includes("hush"));
  assert.match(argument.stderr, /are no argument/);
});
