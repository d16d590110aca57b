import {
  type Command,
  commandsTopic,
  headerNames,
  isStepName,
  type Reply,
  repliesTopic,
  shardOf,
  stepNames,
  topicName,
  topicsOf,
} from "@deeplens/contracts";
import {
  type Codec,
  createConsumer,
  createProducer,
  headersOf,
  headerText,
  type Kafka,
  type KafkaRecord as Message,
} from "@deeplens/messaging";

/** What the worker answers to a command; undefined: nothing at all. */
export type Script = (command: Command) => Reply | undefined;

export interface ScriptOptions {
  readonly script: Script;
  /** How long the reply to a command waits, in ms; 0 unless told. */
  readonly holdMs?: (command: Command) => number;
}

export interface SeenCommand {
  readonly id: string;
  readonly work: "do" | "compensate" | "second-look";
  readonly slug: string;
  readonly step: string;
  readonly fence: number;
  readonly partition: number;
}

export interface ScriptedWorker {
  readonly seen: readonly SeenCommand[];
  stop(): Promise<void>;
}

/** Answers the commands of every step as the script says: what the engine's tests have in place of the fleet. */
export const startScriptedWorker = async (
  options: ScriptOptions & { kafka: Kafka; codec: Codec; installation: string; shards: number },
): Promise<ScriptedWorker> => {
  const { kafka, codec, installation, shards, script, holdMs = () => 0 } = options;
  await codec.prepare(topicsOf());
  const seen: SeenCommand[] = [];
  const producer = createProducer(kafka);
  const consumer = createConsumer(kafka, { groupId: `${installation}.scripted-worker` });
  await Promise.all([producer.connect(), consumer.connect()]);
  await consumer.subscribe({
    topics: stepNames.map((step) => topicName(installation, commandsTopic(step))),
    fromBeginning: true,
  });
  const send = async (messages: Message[]): Promise<void> => {
    if (messages.length === 0) return;
    const topic = topicName(installation, repliesTopic);
    await producer.sendBatch({ topicMessages: [{ topic, messages }] });
  };
  await consumer.run({
    partitionsConsumedConcurrently: 30,
    eachBatch: async ({ batch, resolveOffset, heartbeat }) => {
      const messages: Message[] = [];
      for (const { value, headers, offset } of batch.messages) {
        const command = (await codec.decode(value)) as Command;
        const { slug, step, fence } = command.value;
        seen.push({
          id: headerText(headers, headerNames.id) ?? "",
          work: workOf(command),
          slug,
          step,
          fence,
          partition: batch.partition,
        });
        const known = isStepName(step) || command.record === "TenantOperationRequested";
        const reply = known ? script(command) : undefined;
        if (reply !== undefined) {
          const message = messageOf(codec, reply, slug, shards);
          const waitMs = holdMs(command);
          if (waitMs === 0) messages.push(message);
          // A reply that is held past the test's end has nobody to go to.
          else setTimeout(() => void send([message]).catch(() => undefined), waitMs).unref();
        }
        resolveOffset(offset);
      }
      await send(messages);
      await heartbeat();
    },
  });
  return {
    seen,
    stop: async () => {
      await consumer.disconnect();
      await producer.disconnect();
    },
  };
};

const workOf = (command: Command): SeenCommand["work"] => {
  if (command.record !== "TenantRollbackRequested") return "do";
  return command.value.purpose === "second-look" ? "second-look" : "compensate";
};

/** A reply as a worker sends it. */
export const messageOf = (codec: Codec, reply: Reply, slug: string, shards: number): Message => ({
  key: slug,
  partition: shardOf(slug, shards),
  value: codec.encode(repliesTopic, reply),
  headers: headersOf({
    id: `${reply.value.sagaId}/${reply.value.step}/${reply.value.fence}/${reply.record}`,
    record: reply.record,
    source: "/tests/scripted-worker",
    sagaId: reply.value.sagaId,
    step: reply.value.step,
    fence: reply.value.fence,
  }),
});

const common = ({ value: { sagaId, tenantId, slug, step, fence, attempt } }: Command) => ({
  sagaId,
  tenantId,
  slug,
  step,
  fence,
  attempt,
  occurredAt: new Date().toISOString(),
});

/** The step was done, or undone. */
export const success = (command: Command): Reply =>
  command.record !== "TenantRollbackRequested"
    ? {
        record: "StepCompleted",
        value: {
          ...common(command),
          outputs: { name: command.value.slug },
          resources: [],
          durationMs: 1,
          calls: [],
          receipt: [],
        },
      }
    : { record: "StepCompensated", value: { ...common(command), receipt: [], durationMs: 1 } };

/** The step, or its undo, failed. */
export const failure = (command: Command, permanent: boolean): Reply =>
  command.record !== "TenantRollbackRequested"
    ? {
        record: "StepFailed",
        value: {
          ...common(command),
          permanent,
          code: "scripted",
          message: "the script says so",
          pivot: "unknown",
        },
      }
    : {
        record: "StepCompensationFailed",
        value: { ...common(command), permanent, code: "scripted", message: "the script says so" },
      };
