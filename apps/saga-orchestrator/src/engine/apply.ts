import {
  deadLetterTopic,
  headerNames,
  parseSlug,
  repliesTopic,
  requestsTopic,
  shardOf,
  slugOf,
  tenantIdOf,
  topicName,
  unreachable,
} from "@deeplens/contracts";
import { deadLetterOf, headerText, type KafkaMessage } from "@deeplens/messaging";
import { applyAct } from "../saga/acts.ts";
import { record } from "../saga/advance.ts";
import { type AuditLine, auditLineOf } from "../saga/audit-line.ts";
import type { Batch } from "../saga/batch.ts";
import { applyHealth } from "../saga/health.ts";
import type { AcceptResult, InboxBody, InboxResult } from "../saga/inbox.ts";
import { acceptRemoval } from "../saga/removal-requests.ts";
import { applyReply, applySilence, touchedBy, undoAgain } from "../saga/replies.ts";
import { acceptRequest, refusalOfReusedId, reusedId, sagaIdOf, shardOfRequest } from "../saga/requests.ts";
import { applyTenantAct } from "../saga/tenant-acts.ts";
import { fireTimers } from "../saga/timers.ts";
import type { BatchKeys } from "../store/read-batch.ts";
import type { ShardRow, Stream } from "../store/shard-rows.ts";
import type { BatchWrite, EncodedMessage } from "../store/write-batch.ts";
import type { InboxInput, Input, RecordInput } from "./inputs.ts";
import { keptRecordOf, recordFrom } from "./kept-record.ts";
import { recordHash } from "./positions.ts";
import { storedHeadersOf } from "./stored-headers.ts";

type Accept = Extract<InboxInput["body"], { kind: "accept" }>;

/** What must be read before these inputs can be applied. */
export const keysOf = (inputs: readonly Input[], kind: string): BatchKeys => {
  const requests: { source: string; requestId: string }[] = [];
  const sagaIds = new Set<string>();
  const slugs = new Set<string>();
  const addRequest = (source: string, request: { requestId: string; name: string }): void => {
    requests.push({ source, requestId: request.requestId });
    sagaIds.add(sagaIdOf(tenantIdOf(source, request.requestId), kind));
    const slug = slugOf(request.name);
    if (slug.ok) slugs.add(slug.slug);
  };
  const addSaga = (id: string | undefined): void => {
    if (id !== undefined && uuid.test(id)) sagaIds.add(id);
  };
  const addRemoval = (source: string, request: { requestId: string; slug: string }): void => {
    requests.push({ source, requestId: request.requestId });
    const slug = parseSlug(request.slug);
    if (slug.ok) slugs.add(slug.slug);
  };
  for (const input of inputs) {
    switch (input.from) {
      case "timer":
      case "sweep":
        addSaga(input.sagaId);
        break;
      case "inbox":
        if (input.body.kind === "request") addRequest(input.body.source, input.body.request);
        else if (input.body.kind === "removal") addRemoval(input.body.source, input.body.request);
        else if (input.body.kind === "act") addSaga(input.body.sagaId);
        else if (input.body.kind === "health") slugs.add(input.body.slug);
        else if (input.body.kind === "tenant") {
          slugs.add(input.body.slug);
          addSaga(input.body.sagaId);
        }
        break;
      case "kafka":
        if (input.content.kind === "request") addRequest(input.content.source, input.content.request);
        else if (input.content.kind === "removal") addRemoval(input.content.source, input.content.request);
        else if (input.content.kind === "reply") addSaga(input.content.reply.value.sagaId);
        else addSaga(headerText(input.content.raw.headers, headerNames.saga));
        break;
      default:
        unreachable(input);
    }
  }
  return { requests, sagaIds: [...sagaIds], slugs: [...slugs] };
};

const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

export type Applied = Pick<BatchWrite, "positions" | "inboxResults" | "audits"> & {
  /** Partitions whose position an operator gave up, and from where they are read on. */
  readonly accepted: readonly { input: InboxInput; body: Accept; next: number }[];
  readonly deadLetters: readonly EncodedMessage[];
};

/**
 * Applies inputs in their order to what was read: the same function for what comes from Kafka, the API, operators and
 * timers. Records below a shard's stored offset were applied before, and are passed over.
 */
export const applyInputs = (
  batch: Batch,
  shardRows: ReadonlyMap<number, ShardRow>,
  inputs: readonly Input[],
): Applied => {
  const last = new Map<string, RecordInput>();
  const inboxResults: { id: number; result: InboxResult | AcceptResult }[] = [];
  const accepted: { input: InboxInput; body: Accept; next: number }[] = [];
  const deadLetters: EncodedMessage[] = [];
  const audits: AuditLine[] = [];
  for (const input of inputs) {
    switch (input.from) {
      case "kafka": {
        const key = `${input.stream}/${input.shard}`;
        const before =
          last.get(key)?.offset ?? (shardRows.get(input.shard)?.positions[input.stream]?.next ?? 0) - 1;
        if (input.offset <= before) break;
        applyRecord(batch, input, deadLetters);
        last.set(key, input);
        break;
      }
      case "inbox": {
        const { id, body, next } = input;
        const result = input.refusal ?? answerTo(batch, input);
        inboxResults.push({ id, result });
        const line = auditLineOf(body, input.shard, result);
        if (line !== undefined) audits.push(line);
        if (
          (body.kind === "request" || body.kind === "removal") &&
          body.record !== undefined &&
          !result.ok &&
          isUnanswered(result, input)
        )
          deadLetters.push(
            deadLetterRow(
              batch,
              { ...input, stream: "requests", partition: body.record.partition },
              {
                ...result,
                raw: recordFrom(body.record),
              },
            ),
          );
        if (body.kind === "accept" && next !== undefined) accepted.push({ input, body, next });
        break;
      }
      case "timer": {
        const saga = batch.sagas.get(input.sagaId);
        if (saga !== undefined) fireTimers(batch, saga);
        break;
      }
      case "sweep": {
        const saga = batch.sagas.get(input.sagaId);
        if (saga === undefined || (saga.status !== "closed" && saga.status !== "removed")) break;
        const touched = touchedBy(batch, saga, input.step);
        if (touched !== undefined)
          undoAgain(batch, saga, touched, { event: "open intent found", step: touched, fence: null });
        break;
      }
      default:
        unreachable(input);
    }
  }
  return { positions: [...last.values()].map(positionAfter), inboxResults, deadLetters, accepted, audits };
};

const positionAfter = ({ shard, stream, offset, content }: RecordInput): Applied["positions"][number] => ({
  shard,
  stream,
  position: { next: offset + 1, hash: recordHash(content.raw) },
});

/** Any other refusal is told by an event. */
const isUnanswered = (result: { code: string }, { refusal }: InboxInput): boolean =>
  refusal !== undefined || result.code === reusedId;

const answerTo = (batch: Batch, input: InboxInput): InboxResult | AcceptResult => {
  const { body } = input;
  switch (body.kind) {
    case "request":
      return acceptRequest(batch, body.source, body.request);
    case "removal":
      return acceptRemoval(batch, body.source, body.request, input.shard);
    case "act":
      return applyAct(batch, body);
    case "tenant":
      return applyTenantAct(batch, body, {
        source: `/${batch.installation}/api`,
        requestId: String(input.id),
      });
    case "health":
      return applyHealth(batch, body);
    case "accept":
      if (input.next !== undefined) return { ok: true, next: input.next };
      return {
        ok: false,
        code: "not-stopped",
        message: `${body.stream} of shard ${input.shard} is not stopped: there is nothing to accept`,
      };
    default:
      return unreachable(body);
  }
};

const applyRecord = (batch: Batch, input: RecordInput, deadLetters: EncodedMessage[]): void => {
  const { content, shard } = input;
  switch (content.kind) {
    case "request":
    case "removal": {
      const { source, request } = content;
      // Its answer would be another request's, which may be ready: nothing but a dead letter tells the sender.
      const reused = refusalOfReusedId(batch, source, request);
      if (reused !== undefined) {
        deadLetters.push(deadLetterRow(batch, input, { ...content, ...reused }));
        return;
      }
      const owner =
        content.kind === "request"
          ? shardOfRequest(content.request, batch.shards)
          : shardOf(content.request.slug, batch.shards);
      // Clients hash in their own ways: what came in on another shard's partition goes through its shard's inbox.
      if (owner !== shard) {
        const record = keptRecordOf(shard, content.raw);
        const body: InboxBody =
          content.kind === "request"
            ? { kind: "request", source, request: content.request, record }
            : { kind: "removal", source, request: content.request, record };
        batch.forwarded.push({ shard: owner, body });
        return;
      }
      if (content.kind === "request") acceptRequest(batch, source, content.request);
      else acceptRemoval(batch, source, content.request, shard);
      return;
    }
    case "reply": {
      const saga = batch.sagas.get(content.reply.value.sagaId);
      if (saga !== undefined && saga.shard === shard) applyReply(batch, saga, content.reply);
      return;
    }
    case "unreadable": {
      deadLetters.push(deadLetterRow(batch, input, content));
      if (input.stream === "replies") applyUnreadableReply(batch, shard, content);
      return;
    }
    default:
      return unreachable(content);
  }
};

type Unreadable = Extract<RecordInput["content"], { kind: "unreadable" }>;

/** Its headers name saga, step and fence: the history says that it came, and the step is tried again at once. */
const applyUnreadableReply = (batch: Batch, shard: number, { raw, code, message }: Unreadable): void => {
  const saga = batch.sagas.get(headerText(raw.headers, headerNames.saga) ?? "");
  const step = headerText(raw.headers, headerNames.step);
  const fence = Number(headerText(raw.headers, headerNames.fence));
  // On another shard's partition it is no worker's: its saga's row is not ours to write.
  if (saga === undefined || saga.shard !== shard || step === undefined) return;
  const happened = {
    event: "unreadable reply",
    step,
    fence: Number.isSafeInteger(fence) ? fence : null,
    body: { code, message },
  };
  if (saga.steps[step]?.fence !== fence || saga.timers[step]?.kind !== "deadline")
    return record(batch, saga, happened);
  applySilence(batch, saga, step, happened, {
    code: "reply-unreadable",
    message: `the ${step} worker's reply for tenant ${saga.slug} could not be read (${message}); it is in the dead letters`,
  });
};

/** In the outbox of `shard`, whose row this transaction holds; `partition` is where the record came in. */
const deadLetterRow = (
  batch: Batch,
  { shard, stream, partition = shard }: { shard: number; stream: Stream; partition?: number },
  {
    raw,
    code,
    message,
  }: Pick<Unreadable, "code" | "message"> & {
    raw: Pick<KafkaMessage, "key" | "value" | "headers" | "offset">;
  },
): EncodedMessage => {
  const source = stream === "requests" ? requestsTopic : repliesTopic;
  const letter = deadLetterOf(
    { topic: topicName(batch.installation, source), partition, message: raw },
    { code, message },
  );
  return {
    shard,
    topic: topicName(batch.installation, deadLetterTopic(source)),
    key: raw.key,
    value: raw.value,
    headers: storedHeadersOf(letter.headers ?? {}),
  };
};
