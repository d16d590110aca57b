import {
  type Reply,
  storageRequestOf,
  type TenantId,
  type TenantProvisioningRequested,
  type TenantRemovalRequested,
  tenantIdOf,
} from "@deeplens/contracts";
import type { Input } from "../engine/inputs.ts";
import type { BackupAct, InboxBody } from "../saga/inbox.ts";
import { sagaIdOf } from "../saga/requests.ts";
import type { Saga, Timer, Work } from "../saga/saga.ts";

/** A command that the saga sent, in the order of all of them. */
export interface SentCommand {
  readonly sagaId: string;
  readonly step: string;
  readonly work: Work;
  readonly fence: number;
}

/** What an event of a story may look at: the saga as it is stored, and what was commanded so far. */
export interface Scene {
  readonly saga: Saga | undefined;
  readonly commands: readonly SentCommand[];
  readonly nowMs: number;
}

/** Something that happens to a saga: what comes in, when (now, where it says nothing), and to whose request. */
export interface StoryEvent {
  (scene: Scene): { readonly input: Input; readonly atMs?: number };
  /** The saga that it and what follows is about, where that is another one than before. */
  readonly about?: string;
}

export const source = "/tests/upstream";

/** A request for a tenant, as an upstream service sends it. */
export const requestOf = (
  changes: Partial<TenantProvisioningRequested> & { slug?: string; storageType?: string } = {},
): TenantProvisioningRequested => {
  const { slug = "acme", storageType = "deeplens", ...rest } = changes;
  return {
    requestId: `request-of-${slug}`,
    name: slug,
    tier: "free",
    storage: storageRequestOf({ type: storageType }),
    administrator: { email: "admin@example.com", firstName: "Ada", lastName: "Lovelace" },
    requestedAt: "2026-01-01T00:00:00.000Z",
    ...rest,
  };
};

/** Asks for a tenant; what follows is about it. */
export const requested = (changes: Parameters<typeof requestOf>[0] = {}): StoryEvent => {
  const request = requestOf(changes);
  const body = { kind: "request", source, request } as const;
  return of(request.requestId, () => ({ input: { from: "inbox", id: 1, shard: 0, body } }));
};

export const sagaOfRequest = (requestId: string): string =>
  sagaIdOf(tenantIdOf(source, requestId), "provision");

/** The event happens to the saga of that request, and what follows does too. */
export const of = (requestId: string, event: StoryEvent): StoryEvent =>
  Object.assign((scene: Scene) => event(scene), { about: sagaOfRequest(requestId) });

type Record<R extends Reply["record"]> = Extract<Reply, { record: R }>["value"];
type Common = Pick<
  Record<"StepFailed">,
  "sagaId" | "tenantId" | "slug" | "step" | "fence" | "attempt" | "occurredAt"
>;
type Which = "newest" | "older do" | number;

const reply =
  (step: string, which: Which, build: (common: Common) => Reply): StoryEvent =>
  ({ saga, commands, nowMs }) => {
    if (saga === undefined) throw new Error("the story has no saga yet");
    const of = commands.filter((command) => command.sagaId === saga.sagaId && command.step === step);
    const fence =
      which === "newest"
        ? of.at(-1)?.fence
        : which === "older do"
          ? of.slice(0, -1).findLast(({ work }) => work === "do")?.fence
          : which;
    if (fence === undefined) throw new Error(`the story has no ${which} command of ${step}`);
    const common = {
      sagaId: saga.sagaId,
      tenantId: saga.tenantId,
      slug: saga.slug,
      step,
      fence,
      attempt: 1,
      occurredAt: new Date(nowMs).toISOString(),
    };
    return { input: replyInput(build(common)) };
  };

const replyInput = (reply: Reply): Input => ({
  from: "kafka",
  shard: 0,
  stream: "replies",
  offset: 0,
  content: { kind: "reply", reply, raw: rawOf({}) },
});

const rawOf = (headers: Readonly<{ [name: string]: string }>) => ({
  key: Buffer.from("acme"),
  value: Buffer.from([1]),
  timestamp: "0",
  attributes: 0,
  offset: "0",
  headers: { ...headers },
});

const outputsNamed: { readonly [step: string]: { readonly [name: string]: string } } = {
  "migrate-database": { templateVersion: "0002" },
  "purge-identity": { identityTenantId: "the id of purge-identity" },
  "safety-backup": { backup: "the safety backup" },
  "restore-switch": { templateVersion: "0007" },
  exchange: { templateVersion: "0008" },
};

export const completed = (step: string, which: Which = "newest"): StoryEvent =>
  completedAs(step, outputsNamed[step] ?? { name: `the ${step}` }, which);

/** The same, putting this out. */
export const completedAs = (
  step: string,
  outputs: Readonly<{ [name: string]: string }>,
  which: Which = "newest",
): StoryEvent =>
  reply(step, which, (common) => ({
    record: "StepCompleted",
    value: {
      ...common,
      outputs,
      resources: [],
      receipt: [],
      durationMs: 5,
      calls: [],
    },
  }));

/** A completion of a command that is not the newest any more. */
export const completedLate = (step: string): StoryEvent => completed(step, "older do");

const failed =
  (permanent: boolean, pivot: string) =>
  (step: string, which: Which = "newest"): StoryEvent =>
    reply(step, which, (common) => ({
      record: "StepFailed",
      value: { ...common, permanent, pivot, code: `${step}-broken`, message: `${step} is broken` },
    }));

export const failedForNow = failed(false, "unknown");
export const failedForGood = failed(true, "unknown");
export const refused = failed(true, "refused");
export const notAsked = failed(true, "not-asked");
/** The pivot's service did not answer before it was asked for anything. */
export const notAskedYet = failed(false, "not-asked");

export const compensated = (step: string, which: Which = "newest"): StoryEvent =>
  reply(step, which, (common) => ({
    record: "StepCompensated",
    value: { ...common, receipt: [{ kind: step, name: "it", outcome: "removed" }], durationMs: 5 },
  }));

const undoFailed =
  (permanent: boolean) =>
  (step: string): StoryEvent =>
    reply(step, "newest", (common) => ({
      record: "StepCompensationFailed",
      value: { ...common, permanent, code: `${step}-stays`, message: `${step} does not go away` },
    }));

export const undoFailedForNow = undoFailed(false);
export const undoFailedForGood = undoFailed(true);

export const progressed = (step: string, progress = "started", which: Which = "newest"): StoryEvent =>
  reply(step, which, (common) => ({
    record: "StepProgressed",
    value: { ...common, progress, message: "" },
  }));

/** A reply of the step's newest command that nobody can read; its headers can be. */
export const unreadableReply =
  (step: string, fence?: number): StoryEvent =>
  ({ saga }) => ({
    input: {
      from: "kafka",
      shard: 0,
      stream: "replies",
      offset: 0,
      hash: "",
      content: {
        kind: "unreadable",
        code: "avro",
        message: "no such schema",
        raw: rawOf({
          deeplens_saga: saga?.sagaId ?? "",
          deeplens_step: step,
          deeplens_fence: String(fence ?? saga?.steps[step]?.fence),
        }),
      },
    },
  });

const timeOf =
  (name: string, kind: Timer["kind"]): StoryEvent =>
  ({ saga }) => {
    const timer = saga?.timers[name];
    if (timer?.kind !== kind)
      throw new Error(`${name} has no ${kind}; the saga's timers: ${JSON.stringify(saga?.timers)}`);
    return { input: { from: "timer", shard: 0, sagaId: saga?.sagaId ?? "" }, atMs: timer.dueMs };
  };

/** The step's deadline comes, with every other timer that is due by then. */
export const deadlinePassed = (step: string): StoryEvent => timeOf(step, "deadline");
export const backOffOver = (step: string): StoryEvent => timeOf(step, "backOff");
export const settleOver = (): StoryEvent => timeOf("settle", "settle");

export const overlapOver = (): StoryEvent => timeOf("overlap", "wait");
export const graceOver = (): StoryEvent => timeOf("grace", "wait");
export const nameReleased = (): StoryEvent => timeOf("release", "release");

/** Time goes by, and the timers that are due by then fire. */
export const passed =
  (ms: number): StoryEvent =>
  ({ saga, nowMs }) => ({
    input: { from: "timer", shard: 0, sagaId: saga?.sagaId ?? "" },
    atMs: nowMs + ms,
  });

/** An intent of the step was found open in the workers' ledger. */
export const openIntentFound =
  (step: string): StoryEvent =>
  ({ saga }) => ({ input: { from: "sweep", shard: 0, sagaId: saga?.sagaId ?? "", step } });

const act =
  (name: "retry" | "resume" | "abort") =>
  ({ step, tenantId }: { step?: string; tenantId?: string } = {}): StoryEvent =>
  ({ saga }) => ({
    input: {
      from: "inbox",
      id: 1,
      shard: 0,
      body: {
        kind: "act",
        act: name,
        sagaId: saga?.sagaId ?? "",
        tenantId: tenantId ?? saga?.tenantId ?? "",
        ...(step === undefined ? {} : { step }),
        by: "ops",
        reason: "a test",
      },
    },
  });

export const retried = act("retry");
export const resumed = act("resume");
export const aborted = act("abort");

type ActOnTenant = Extract<InboxBody, { kind: "tenant" }>;
type Told = Partial<
  Pick<
    ActOnTenant,
    | "slug"
    | "tenantId"
    | "sagaId"
    | "graceMs"
    | "reason"
    | "restore"
    | "tier"
    | "credentialRef"
    | "parts"
    | "overlapMs"
  >
> & {
  inboxId?: number;
};

const tenantAct =
  (name: ActOnTenant["act"]) =>
  ({ inboxId = 7, slug = "acme", tenantId, ...told }: Told = {}): StoryEvent =>
  ({ saga }) => ({
    input: {
      from: "inbox",
      id: inboxId,
      shard: 0,
      body: {
        kind: "tenant",
        act: name,
        slug,
        tenantId: tenantId ?? tenantOf(slug),
        ...(saga === undefined ? {} : { sagaId: saga.sagaId }),
        by: "ops",
        reason: "a test",
        ...told,
      },
    },
  });

const tenantOf = (slug: string): TenantId => tenantIdOf(source, `request-of-${slug}`);

/** An act that begins a saga; what follows is about that one, unless it is said that none begins. */
const beginning =
  (
    name:
      | "suspend"
      | "resume"
      | "remove"
      | "tier"
      | "migrate"
      | "replace-credentials"
      | "repair"
      | "rotate"
      | BackupAct,
  ) =>
  (told: Told & { begins?: false } = {}): StoryEvent => {
    const { begins, ...rest } = told;
    const event = tenantAct(name)(rest);
    if (begins === false) return event;
    const which = JSON.stringify(["/deeplens/api", String(rest.inboxId ?? 7)]);
    return Object.assign((scene: Scene) => event(scene), {
      about: sagaIdOf(tenantOf(rest.slug ?? "acme"), name, which),
    });
  };

export const suspendAsked = beginning("suspend");
export const resumeAsked = beginning("resume");
export const removeAsked = beginning("remove");
export const backupAsked = beginning("backup");
export const restoreBackupAsked = beginning("restore-backup");
export const migrateAsked = beginning("migrate");
export const tierAsked = beginning("tier");
export const restoreBackAsked = beginning("restore-back");
export const restoreEndAsked = beginning("restore-end");
export const replaceCredentialsAsked = beginning("replace-credentials");
export const repairAsked = beginning("repair");
export const rotateAsked = beginning("rotate");
export const endRotationAsked = tenantAct("end-rotation");
export const overlapMoved = tenantAct("overlap");
export const restoreAsked = tenantAct("restore");
export const purgeAsked = tenantAct("purge");
export const graceMoved = tenantAct("grace");
export const releaseAsked = tenantAct("release");

/** An upstream service asks for the removal of a tenant; what follows is about it. */
export const removalRequested = (
  changes: Partial<TenantRemovalRequested> & { begins?: false } = {},
): StoryEvent => {
  const { begins, ...rest } = changes;
  const request: TenantRemovalRequested = {
    requestId: "removal-1",
    tenantId: tenantOf("acme"),
    slug: "acme",
    reason: "the contract ended",
    graceMs: null,
    requestedAt: "2026-01-01T00:00:00.000Z",
    ...rest,
  };
  const event: StoryEvent = () => ({
    input: {
      from: "kafka",
      shard: 0,
      stream: "requests",
      offset: 0,
      content: { kind: "removal", source, request, raw: rawOf({}) },
    },
  });
  if (begins === false) return event;
  return Object.assign((scene: Scene) => event(scene), {
    about: sagaIdOf(tenantOf("acme"), "remove", JSON.stringify([source, request.requestId])),
  });
};
