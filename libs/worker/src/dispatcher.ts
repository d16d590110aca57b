import type { Reply, Slug } from "@deeplens/contracts";
import type { Logger } from "@deeplens/telemetry";
import { type AbortReason, expired, heldBy, type Outcome, type Run } from "./execute.ts";
import { type Order, takesAway } from "./order.ts";
import type { Arrival, Asked, PartStore, StoredReply } from "./part-store.ts";
import type { Replies } from "./replies.ts";

/** A command as it came, and whom to tell that it is finished: its offset may be committed then. */
export interface Delivery {
  readonly order: Order;
  finished(): void;
}

export interface Dispatcher {
  /** Takes the commands of one fetch; resolves when they are fenced, not when they are done. */
  arrive(deliveries: readonly Delivery[]): Promise<void>;
  /** Lets running handlers end for so long, then aborts them; begins nothing more. Resolves when all settled. */
  stop(graceMs: number): Promise<void>;
  /** The process ends: begins nothing more and aborts what runs. */
  abandon(): void;
  /** Resolves when the handlers that run now have settled. */
  settled(): Promise<void>;
}

export interface DispatcherOptions {
  readonly parts: PartStore;
  readonly replies: Replies;
  readonly log: Logger;
  /** How many handlers run at once. */
  readonly concurrency: number;
  execute(order: Order): Run;
  /** Ends the process: it no longer knows what it holds. */
  fatal(error: unknown): void;
  /** How often a part that another process holds is asked for; 200 unless told. */
  readonly pollMs?: number;
  readonly now?: () => Date;
}

/** One command with everyone who waits for it: it may come more than once. */
interface Job {
  readonly order: Order;
  readonly deliveries: Delivery[];
  run?: Run;
}

/** What this process knows of a part. At most one handler runs for it, and only the newest command waits. */
interface Part {
  readonly slug: Slug;
  /** This process has the part's lock. */
  locked: boolean;
  running: Job | undefined;
  waiting: Job | undefined;
}

interface Settled {
  readonly part: Part;
  readonly job: Job;
  readonly reply: StoredReply | undefined;
  readonly sent: Promise<void>;
  /** Stopped work is not finished: it comes again. */
  readonly comesAgain: boolean;
}

/** The heart of a worker: fences, locks, one handler a part, answers. See run-worker.ts for the argument. */
export const createDispatcher = (options: DispatcherOptions): Dispatcher => {
  const { parts: store, replies, log, concurrency, pollMs = 200, now = () => new Date() } = options;
  const parts = new Map<Slug, Part>();
  const ready = new Set<Part>();
  const settled: Settled[] = [];
  let running = 0;
  let stopping = false;
  let flushing = false;
  let poll: NodeJS.Timeout | undefined;

  // Statements on the step rows never overlap, and what this process knows changes with them.
  let last: Promise<unknown> = Promise.resolve();
  const exclusive = (work: () => Promise<void>): Promise<void> => {
    const next = last.then(work);
    last = next.catch(options.fatal);
    return next;
  };
  const inTurn = (work: () => Promise<void>): void => {
    exclusive(work).catch(ignored);
  };

  const ask = async (jobs: readonly Job[]): Promise<void> => {
    if (jobs.length === 0) return;
    const arrivals = await store.arrive(jobs.map(askedOf));
    for (const job of jobs) {
      const arrival = arrivals.get(job.order.slug);
      if (arrival === undefined) throw new Error(`no step row came back for ${job.order.slug}`);
      await place(job, arrival);
    }
    pump();
  };

  const askedOf = ({ order }: Job, index: number): Asked => {
    const { slug, tenantId, fence, workMs, expiresAt } = order;
    const beginsNow = running + ready.size + index < concurrency;
    // It begins in this process or never, so its own clock tells how long that may take.
    const beginsInMs = beginsNow ? 0 : Math.max(0, expiresAt.getTime() - now().getTime());
    const held = parts.get(slug)?.locked ?? false;
    return { slug, tenantId, fence, undoes: takesAway(order), held, endsInMs: beginsInMs + workMs };
  };

  const place = async (job: Job, arrival: Arrival): Promise<void> => {
    const { slug, fence } = job.order;
    const part = parts.get(slug) ?? { slug, locked: false, running: undefined, waiting: undefined };
    switch (arrival.outcome) {
      case "refused":
        overtake(part, fence);
        return drop(job, "a newer command came before");
      case "done":
        if (part.waiting === job) part.waiting = undefined;
        forget(part);
        return answerAgain(job, arrival.reply);
      case "locked":
        part.locked = true;
        enter(part, job);
        if (part.running === undefined) ready.add(part);
        return;
      case "busy":
        enter(part, job);
        if (part.waiting !== undefined) await waitForHolder(part, part.waiting, arrival);
        return;
    }
  };

  // Joins the same command, else takes the place of an older one, which nobody needs any more.
  const enter = (part: Part, job: Job): void => {
    parts.set(part.slug, part);
    for (const there of [part.running, part.waiting])
      if (there !== undefined && there !== job && there.order.fence === job.order.fence) {
        there.deliveries.push(...job.deliveries);
        return;
      }
    if (part.waiting !== undefined && part.waiting !== job) drop(part.waiting, "a newer command came");
    if (part.running !== undefined) abort(part.running, "newer");
    part.waiting = job;
  };

  const waitForHolder = async (
    part: Part,
    job: Job,
    arrival: Arrival & { outcome: "busy" },
  ): Promise<void> => {
    if (arrival.sameCommand) return keepAsking();
    const { order } = job;
    const isExpired = order.expiresAt <= now();
    const isHeld = arrival.overdue && !takesAway(order);
    if (isExpired || isHeld) {
      const holder = await store.holderOf(part.slug);
      part.waiting = undefined;
      const reply = isHeld ? heldBy(order, now(), holder) : expired(order, now(), holder);
      settle(part, job, { kind: "answered", reply });
      return;
    }
    if (arrival.overdue && (await store.endHolder(part.slug)))
      log.warn(
        { tenant: part.slug, saga: order.sagaId },
        "ended the session of a worker that held the part for longer than its deadline and its longest call",
      );
    keepAsking();
  };

  const keepAsking = (): void => {
    if (stopping) return;
    poll ??= setTimeout(() => {
      poll = undefined;
      inTurn(() => ask([...parts.values()].flatMap(waitingForLock)));
    }, pollMs);
  };

  // What this process has of the part is older still.
  const overtake = (part: Part, fence: number): void => {
    const { running: job, waiting } = part;
    if (job !== undefined && job.order.fence <= fence) abort(job, "newer");
    if (waiting === undefined || waiting.order.fence > fence) return;
    part.waiting = undefined;
    settle(part, waiting, { kind: "overtaken" });
  };

  const drop = (job: Job, reason: string): void => {
    const { slug, sagaId, fence } = job.order;
    log.info({ tenant: slug, saga: sagaId, fence, reason }, "an older command is not done");
    finish(job);
  };

  const forget = (part: Part): void => {
    if (part.waiting === undefined && part.running === undefined && !part.locked) parts.delete(part.slug);
  };

  const answerAgain = (job: Job, reply: StoredReply): void => {
    replies.send(job.order.slug, reply).then(() => finish(job), ignored);
  };

  const pump = (): void => {
    for (const part of ready) {
      if (stopping || running >= concurrency) return;
      ready.delete(part);
      const job = part.waiting;
      if (job === undefined) continue;
      part.waiting = undefined;
      part.running = job;
      if (job.order.expiresAt <= now())
        settle(part, job, { kind: "answered", reply: expired(job.order, now()) });
      else begin(part, job);
    }
  };

  const begin = (part: Part, job: Job): void => {
    running += 1;
    const run = options.execute(job.order);
    job.run = run;
    void run.outcome.then((outcome) => {
      running -= 1;
      settle(part, job, outcome);
      pump();
    });
  };

  const settle = (part: Part, job: Job, outcome: Outcome): void => {
    const reply = outcome.kind === "answered" ? encoded(job.order, outcome.reply) : undefined;
    // The reply need not wait for the step row; the offset waits for both.
    const sent = reply === undefined ? Promise.resolve() : replies.send(part.slug, reply);
    sent.catch(ignored);
    settled.push({ part, job, reply, sent, comesAgain: outcome.kind === "stopped" });
    scheduleFlush();
  };

  const scheduleFlush = (): void => {
    if (flushing) return;
    flushing = true;
    setImmediate(() => inTurn(flush));
  };

  const encoded = (order: Order, reply: Reply): StoredReply | undefined => {
    try {
      return replies.encode(order, reply);
    } catch (error) {
      options.fatal(error);
      return undefined;
    }
  };

  // One statement for everything that settled since the last one.
  const flush = async (): Promise<void> => {
    flushing = false;
    const batch = takeOneAPart(settled);
    if (settled.length > 0) scheduleFlush();
    await store.finish(
      batch.map(({ part, job, reply }) => {
        const { slug, tenantId, fence } = job.order;
        return { slug, tenantId, fence, undoes: takesAway(job.order), reply, release: releases(part, job) };
      }),
    );
    for (const { part, job, sent, comesAgain } of batch) {
      const released = releases(part, job);
      if (part.running === job) part.running = undefined;
      if (released) part.locked = false;
      if (part.locked && part.running === undefined && part.waiting !== undefined) ready.add(part);
      forget(part);
      if (!comesAgain) sent.then(() => finish(job), ignored);
    }
    pump();
  };

  const releases = (part: Part, job: Job): boolean =>
    part.locked &&
    (part.running === undefined || part.running === job) &&
    (part.waiting === undefined || stopping);

  const settledAll = async (): Promise<void> => {
    await Promise.all([...parts.values()].map(({ running: job }) => job?.run?.outcome));
  };

  const whenIdle = async (): Promise<void> => {
    while (running > 0 || flushing || settled.length > 0) {
      await settledAll();
      await new Promise<void>((resolve) => setImmediate(resolve));
      await last;
    }
  };

  const abortAll = (): void => {
    for (const { running: job } of parts.values()) if (job !== undefined) abort(job, "stopping");
  };

  return {
    settled: settledAll,
    abandon() {
      stopping = true;
      clearTimeout(poll);
      abortAll();
    },
    arrive: (deliveries) => exclusive(() => ask(newestOfEach(deliveries, drop))),
    async stop(graceMs) {
      stopping = true;
      clearTimeout(poll);
      const timer = setTimeout(abortAll, graceMs);
      await whenIdle();
      await last;
      clearTimeout(timer);
    },
  };
};

// A statement takes one row a part.
const takeOneAPart = (settled: Settled[]): Settled[] => {
  const taken = new Map<Slug, Settled>();
  const rest: Settled[] = [];
  for (const one of settled.splice(0))
    if (taken.has(one.part.slug)) rest.push(one);
    else taken.set(one.part.slug, one);
  settled.push(...rest);
  return [...taken.values()];
};

const abort = (job: Job, reason: AbortReason): void => job.run?.abort(reason);

const finish = (job: Job): void => {
  for (const delivery of job.deliveries.splice(0)) delivery.finished();
};

// A sender that gave up belongs to a process that ends: the command comes again.
const ignored = (): void => undefined;

const waitingForLock = (part: Part): Job[] =>
  part.waiting !== undefined && !part.locked ? [part.waiting] : [];

// Of the commands for one part in one fetch only the newest counts; the same one twice is one.
const newestOfEach = (deliveries: readonly Delivery[], drop: (job: Job, reason: string) => void): Job[] => {
  const newest = new Map<Slug, Job>();
  for (const delivery of deliveries) {
    const { order } = delivery;
    const there = newest.get(order.slug);
    if (there !== undefined && there.order.fence === order.fence) there.deliveries.push(delivery);
    else if (there !== undefined && there.order.fence > order.fence)
      drop({ order, deliveries: [delivery] }, "a newer command came with it");
    else {
      if (there !== undefined) drop(there, "a newer command came with it");
      newest.set(order.slug, { order, deliveries: [delivery] });
    }
  }
  return [...newest.values()];
};
