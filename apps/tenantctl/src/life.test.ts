import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
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

const folder = mkdtempSync(join(tmpdir(), "tenantctl-life-"));
after(() => rmSync(folder, { recursive: true, force: true }));

/** Runs the command line against an API that gives these answers. */
const against = async (
  answers: Readonly<Record<string, Answer>>,
  ...args: string[]
): Promise<Ran & { calls: FakeApi["calls"] }> => {
  const api = await startFakeApi(answers);
  const home = mkdtempSync(join(folder, "state-"));
  const state = join(home, "deeplens", "deeplens");
  mkdirSync(state, { recursive: true });
  writeFileSync(join(state, "api-token"), "a-token-of-the-tests\n");
  writeFileSync(
    join(state, "stack.json"),
    JSON.stringify({ api: { url: api.url, tokenFile: join(state, "api-token") } }),
  );
  try {
    return { ...(await runInProcess(args, home)), calls: api.calls };
  } finally {
    await api.close();
  }
};

const ok = (body: unknown): Answer => ({ status: 200, body });
const begun = { inboxId: 1, slug: "acme", tenantId, sagaId, status: "running", repeated: false };
const reason = ["--reason", "has not paid"];

/** An API whose acme is so, and whose act ends in that saga. */
const acme = (
  act: string,
  saga: Parameters<typeof sagaOf>[0],
  tenant: Parameters<typeof tenantOf>[0] = {},
) => ({
  "GET /v1/tenants/acme": ok(tenantOf(tenant)),
  [`GET /v1/tenants/${tenantId}`]: ok(tenantOf(tenant)),
  [`POST /v1/tenants/acme/${act}`]: { status: 202, body: begun },
  [`POST /v1/tenants/acme/plans/${act}`]: ok(planOf(act)),
  [`GET /v1/sagas/${sagaId}/events`]: {
    events: [{ type: "end", status: saga?.status ?? "" }] as const,
  },
  [`GET /v1/sagas/${sagaId}`]: ok(sagaOf(saga)),
});
/** The act that was asked for; a plan is none. */
const posted = (calls: FakeApi["calls"]) =>
  calls.find(({ method, path }) => method === "POST" && !path.includes("/plans/"));

test("suspend shows its plan, names the tenant's id, and says what was proven", async () => {
  const steps = [
    stepOf("suspend-database", {
      receipt: [{ kind: "postgres-role", name: "tenant_acme_app", outcome: "refused" }],
    }),
    stepOf("tell-identity", {
      receipt: [{ kind: "identity-tenant", name: "acme", outcome: "told-by-event" }],
    }),
  ];
  const ran = await against(
    acme("suspend", { kind: "suspend", status: "done", steps }, { state: "ready" }),
    ...["suspend", "acme", "--yes", ...reason],
  );
  assert.equal(ran.code, 0, ran.stderr);
  assert.deepEqual(posted(ran.calls)?.body, { tenantId, reason: "has not paid" });
  assert.match(
    ran.stdout,
    /Suspend acme \(.*\):\n {2}what the orchestrator says\n {2}The way back: tenantctl undo it/,
  );
  assert.match(ran.stdout, /suspend-database: postgres-role tenant_acme_app refused/);
  assert.match(ran.stdout, /identity-tenant acme has no call for it/);
});

test("without a terminal and without --yes nothing is asked of the API", async () => {
  for (const args of [["suspend"], ["remove"], ["remove", "--purge"], ["restore"], ["resume"]]) {
    const [command = "", ...flags] = args;
    const tenant = { state: command === "resume" ? "suspended" : "removing" };
    const ran = await against(acme(command, {}, tenant), command, "acme", ...flags, ...reason);
    assert.deepEqual([ran.code, posted(ran.calls)], [2, undefined], args.join(" "));
    assert.match(ran.stderr, /nothing was done: it was not confirmed/);
  }
});

test("what is so already is no error, and no saga is followed", async () => {
  const ran = await against(
    {
      ...acme("suspend", {}, { state: "suspended" }),
      "POST /v1/tenants/acme/plans/suspend": ok(planOf("suspend", { already: true })),
      "POST /v1/tenants/acme/suspend": ok({ ...begun, status: "suspended", repeated: true }),
    },
    ...["suspend", "acme", ...reason],
  );
  assert.equal(ran.code, 0);
  assert.match(ran.stdout, /The tenant acme is suspended already; nothing was done/);
});

test("an act that was undone because it failed has exit code 1, one that was refused 2", async () => {
  const error = { step: "suspend-vectors", code: "unreachable", message: "Qdrant does not answer" };
  const failed = await against(
    acme("suspend", { kind: "suspend", status: "undone", error }),
    ...["suspend", "acme", "--yes", ...reason],
  );
  assert.equal(failed.code, 1);
  assert.match(
    failed.stdout,
    /The suspend of acme failed and was undone, the tenant is ready: .*Qdrant does not answer/,
  );
  const refused = await against(
    {
      ...acme("suspend", {}),
      "POST /v1/tenants/acme/suspend": {
        status: 409,
        body: problem(409, "act-running", "remove of tenant acme runs (saga 1)"),
      },
    },
    ...["suspend", "acme", "--yes", "--json", ...reason],
  );
  assert.equal(refused.code, 2);
  assert.equal(JSON.parse(refused.stdout).error.code, "act-running");
});

test("resume of a suspended tenant opens it; of one whose saga is stuck it lets that go on", async () => {
  const suspended = {
    state: "suspended",
    suspended: { since: "2026-01-01T12:00:00.000Z", reason: "has not paid" },
  };
  const opened = await against(
    acme("resume", { kind: "resume", status: "done" }, suspended),
    ...["resume", "acme", "--yes", "--reason", "has paid"],
  );
  assert.equal(opened.code, 0, opened.stderr);
  assert.equal(posted(opened.calls)?.path, "/v1/tenants/acme/resume");
  const stuck = await against(
    {
      ...acme("resume", {}, { state: "stuck" }),
      [`POST /v1/sagas/${sagaId}/resume`]: ok({ ...begun, status: "running" }),
    },
    ...["resume", "acme", ...reason],
  );
  assert.equal(stuck.code, 0, stuck.stderr);
  assert.equal(posted(stuck.calls)?.path, `/v1/sagas/${sagaId}/resume`);
});

const purgeAt = "2026-01-08T12:00:00.000Z";

test("remove ends when it waits for the end of its grace period, and says until when it can be restored", async () => {
  const ran = await against(
    acme(
      "remove",
      { kind: "remove", status: "waiting" },
      { state: "ready", removal: { sagaId, purgeAt, slugHeldUntil: null } },
    ),
    ...["remove", "acme", "--grace", "7d", "--yes", ...reason],
  );
  assert.equal(ran.code, 0, ran.stderr);
  assert.deepEqual(posted(ran.calls)?.body, { tenantId, reason: "has not paid", graceMs: 7 * 86_400_000 });
  assert.match(ran.stdout, /kept until 2026-01-08 12:00:00 UTC/);
});

test("the flags of remove become acts on the removal that runs", async () => {
  const removing = {
    state: "removing",
    running: { sagaId, kind: "remove" },
    removal: { sagaId, purgeAt, slugHeldUntil: null },
  };
  for (const [flags, path, graceMs] of [
    [["--purge"], "purge", undefined],
    [["--grace", "30d"], "grace", 30 * 86_400_000],
    [["--release"], "release", undefined],
    [[], "remove", undefined],
  ] as const) {
    const ran = await against(
      acme(path, { kind: "remove", status: "waiting" }, removing),
      ...["remove", "acme", ...flags, "--yes", ...reason],
    );
    assert.equal(ran.code, 0, ran.stderr);
    const body = posted(ran.calls)?.body as { graceMs?: number };
    assert.deepEqual([posted(ran.calls)?.path, body.graceMs], [`/v1/tenants/acme/${path}`, graceMs]);
  }
  const both = await against({}, "remove", "acme", "--purge", "--release");
  assert.equal(both.code, 2);
});

test("restore tells that the tenant is whole again; a removal that is told with its receipt says what stays", async () => {
  const restored = await against(
    acme("restore", { kind: "remove", status: "undone" }, { state: "removing" }),
    ...["restore", "acme", "--yes", ...reason],
  );
  assert.equal(restored.code, 0);
  assert.match(restored.stdout, /The tenant acme is restored/);
  const receipt = [
    { kind: "identity-record", name: "42", outcome: "kept" },
    { kind: "database", name: "tenant_acme_metadata", outcome: "absent" },
  ];
  const removed = await against(
    acme(
      "remove",
      { kind: "remove", status: "removed", steps: [stepOf("purge-identity", { receipt })] },
      { removal: { sagaId, purgeAt, slugHeldUntil: purgeAt } },
    ),
    ...["remove", "acme", "--purge", "--yes", ...reason],
  );
  assert.equal(removed.code, 0);
  assert.match(removed.stdout, /identity-record 42 stays: its service has no delete/);
  assert.match(removed.stdout, /tenant_acme_metadata was not there/);
  assert.match(removed.stdout, /tenantctl remove acme --release/);
});

test("a time that is none is refused before the API is asked", async () => {
  for (const time of ["7", "a week", "-1d", "400d"]) {
    const ran = await against({}, "remove", "acme", "--grace", time, ...reason);
    assert.deepEqual([ran.code, ran.calls.length], [2, 0], time);
  }
});

test("tier shows what would break, and asks for the tier that was named", async () => {
  const plan = planOf("tier", {
    use: [{ thing: "bucket", measure: "bytes", value: 2 ** 31, limit: 2 ** 35 }],
    warnings: [{ code: "over-quota", message: "the bucket holds 2 GiB, and free allows 1 GiB" }],
    wayBack: "tenantctl tier acme professional",
  });
  const answers = {
    ...acme("tier", { kind: "tier", status: "done" }),
    "POST /v1/tenants/acme/plans/tier": ok(plan),
  };
  const ran = await against(answers, "tier", "acme", "free", "--yes", ...reason);
  assert.equal(ran.code, 0, ran.stderr);
  assert.deepEqual(posted(ran.calls)?.body, { tenantId, reason: "has not paid", tier: "free" });
  assert.match(ran.stdout, /In use now\n +bucket +2 GiB of 32 GiB/);
  assert.match(ran.stdout, /What breaks\n +over-quota +the bucket holds 2 GiB/);
  assert.match(ran.stdout, /The way back: tenantctl tier acme professional/);
  const wrong = await against(answers, "tier", "acme", "gold", ...reason);
  assert.deepEqual([wrong.code, wrong.calls.length], [2, 0]);
});

test("a plan that would be refused is neither asked about nor sent", async () => {
  const refusals = [{ code: "over-memory", message: "the vectors have 900 MiB in use" }];
  const answers = {
    ...acme("tier", {}),
    "POST /v1/tenants/acme/plans/tier": ok(planOf("tier", { refusals })),
  };
  const ran = await against(answers, "tier", "acme", "free", "--yes", ...reason);
  assert.deepEqual([ran.code, posted(ran.calls)], [2, undefined]);
  assert.match(ran.stderr, /would be refused: the vectors have 900 MiB in use \(over-memory\)/);
});

test("plan shows what each act would show, does nothing, and ends with 2 where it would be refused", async () => {
  const asked = [
    [["remove", "acme", "--grace", "7d"], "remove", { graceMs: 7 * 86_400_000 }],
    [["remove", "acme", "--purge"], "remove", { graceMs: 0 }],
    [["tier", "acme", "free"], "tier", { tier: "free" }],
    [["suspend", "acme"], "suspend", {}],
    [
      ["restore-backup", "acme", "20261124T020000Z-00abff", "--part", "vectors"],
      "restore-backup",
      { restore: { backup: "20261124T020000Z-00abff", parts: "vectors" } },
    ],
  ] as const;
  for (const [args, act, body] of asked) {
    const ran = await against({ [`POST /v1/tenants/acme/plans/${act}`]: ok(planOf(act)) }, "plan", ...args);
    assert.equal(ran.code, 0, ran.stderr);
    assert.match(ran.stdout, /what the orchestrator says/);
    assert.deepEqual(
      ran.calls.map((call) => call.body),
      [body],
    );
  }
  const refusals = [{ code: "act-running", message: "remove of tenant acme runs" }];
  const answers = { "POST /v1/tenants/acme/plans/suspend": ok(planOf("suspend", { refusals, does: [] })) };
  const refused = await against(answers, "plan", "suspend", "acme", "--json");
  assert.equal(refused.code, 2);
  assert.equal(JSON.parse(refused.stdout).refusals[0].code, "act-running");
});

test("the plan of a new tenant is asked for with the id that the request would have", async () => {
  const makes = [{ part: "storage", kind: "minio-bucket", name: "deeplens-acme" }] as const;
  const ran = await against(
    { "POST /v1/plans/create": ok(planOf("create", { makes })) },
    ...["plan", "create", "Acme", "--tier", "free", "--storage", "deeplens", "--request-id", "r1"],
    ...["--admin-email", "ada@acme.example", "--admin-name", "Ada Lovelace"],
  );
  assert.equal(ran.code, 0, ran.stderr);
  assert.equal(ran.calls[0]?.headers["idempotency-key"], "r1");
  assert.match(ran.stdout, /It makes\n +storage +minio-bucket +deeplens-acme/);
});

/** An API whose acme is so, and whose rotation comes to that. */
const rotating = (
  act: "rotate" | "end-rotation" | "overlap",
  status: string,
  tenant: Parameters<typeof tenantOf>[0] = {},
) => ({
  ...acme(act, { kind: "rotate", status }, tenant),
  [`POST /v1/tenants/acme/plans/${act}`]: ok(planOf(act)),
});
const overlap = { sagaId, parts: ["database", "storage"], oldUntil: "2026-01-02T12:00:00.000Z" };

test("rotate shows its plan, and says until when the old credentials are good", async () => {
  const ran = await against(
    rotating("rotate", "waiting", { rotation: overlap }),
    ...["rotate", "acme", "--part", "database,storage", "--overlap", "1d", "--yes", ...reason],
  );
  assert.equal(ran.code, 0, ran.stderr);
  assert.match(ran.stdout, /what the orchestrator says/);
  assert.match(
    ran.stdout,
    /The old ones are good until 2026-01-02 12:00:00 UTC.*tenantctl rotate acme --end/,
  );
  assert.deepEqual(posted(ran.calls)?.body, {
    ...{ tenantId, reason: "has not paid" },
    ...{ parts: ["database", "storage"], overlapMs: 86_400_000 },
  });
});

test("rotate --end ends the old credentials, and --overlap moves their end", async () => {
  const running = { running: { sagaId, kind: "rotate" }, rotation: overlap };
  const ended = await against(
    rotating("end-rotation", "done", running),
    ...["rotate", "acme", "--end", "--yes", ...reason],
  );
  assert.equal(ended.code, 0, ended.stderr);
  assert.match(ended.stdout, /The old credentials of acme are ended/);
  assert.match(posted(ended.calls)?.path ?? "", /end-rotation$/);
  const moved = await against(
    rotating("overlap", "waiting", running),
    ...["rotate", "acme", "--overlap", "3d", "--yes", ...reason],
  );
  assert.equal(moved.code, 0, moved.stderr);
  assert.deepEqual(posted(moved.calls)?.body, {
    ...{ tenantId, reason: "has not paid" },
    overlapMs: 3 * 86_400_000,
  });
});

test("rotate asks before it does anything, takes --end alone, and names a wrong part", async () => {
  const refusals = [
    [[], "not-confirmed"],
    [["--end", "--part", "storage", "--yes"], "usage"],
    [["--part", "identity", "--yes"], "usage"],
  ] as const;
  for (const [flags, code] of refusals) {
    const ran = await against(rotating("rotate", "waiting"), "rotate", "acme", ...flags, ...reason, "--json");
    assert.equal(ran.code, 2);
    assert.equal(JSON.parse(ran.stdout).error.code, code);
    assert.equal(posted(ran.calls), undefined);
  }
});

test("status names the rotation and until when the old credentials are good", async () => {
  const ran = await against(acme("rotate", {}, { rotation: overlap }), "status", "acme");
  assert.match(ran.stdout, /rotation +new credentials \(database, storage\); .*2026-01-02 12:00:00 UTC/);
});
