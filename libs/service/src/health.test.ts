import assert from "node:assert/strict";
import { test } from "node:test";
import { type HealthCheck, serveHealth } from "./health.ts";

const withHealth = async (
  checks: Record<string, HealthCheck>,
  work: (get: (path: string) => Promise<{ status: number; body: unknown }>) => Promise<void>,
): Promise<void> => {
  const health = await serveHealth({ host: "127.0.0.1", port: 0, checks });
  try {
    await work(async (path) => {
      const response = await fetch(`http://127.0.0.1:${health.port}${path}`);
      return { status: response.status, body: await response.json() };
    });
  } finally {
    await health.close();
  }
};

test("a process is live while it runs, and ready when all its services answer", async () => {
  await withHealth({ database: () => undefined, kafka: async () => undefined }, async (get) => {
    assert.deepEqual(await get("/health/live"), { status: 200, body: { status: "live" } });
    assert.deepEqual(await get("/health/ready"), {
      status: 200,
      body: { status: "ready", checks: { database: "ok", kafka: "ok" } },
    });
  });
});

test("not ready says which service does not answer and why; live stays live", async () => {
  const checks = {
    database: async () => {
      throw new Error("connection refused");
    },
    kafka: () => undefined,
  };
  await withHealth(checks, async (get) => {
    assert.deepEqual(await get("/health/ready"), {
      status: 503,
      body: { status: "not ready", checks: { database: "connection refused", kafka: "ok" } },
    });
    assert.equal((await get("/health/live")).status, 200);
  });
});

test("a check that is added or mended later counts from the next question on", async () => {
  const checks: Record<string, HealthCheck> = {
    start: () => {
      throw new Error("waits for Kafka");
    },
  };
  await withHealth(checks, async (get) => {
    assert.equal((await get("/health/ready")).status, 503);
    delete checks.start;
    checks.kafka = () => undefined;
    assert.deepEqual((await get("/health/ready")).body, { status: "ready", checks: { kafka: "ok" } });
  });
});

test("a service that hangs makes it not ready, and not silent", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const hangs = Promise.withResolvers<void>();
  const asked = Promise.withResolvers<void>();
  const check = (): Promise<void> => {
    asked.resolve();
    return hangs.promise;
  };
  await withHealth({ minio: check }, async (get) => {
    const answer = get("/health/ready");
    await asked.promise;
    await new Promise((resolve) => setImmediate(resolve));
    t.mock.timers.tick(3_000);
    assert.deepEqual(await answer, {
      status: 503,
      body: { status: "not ready", checks: { minio: "no answer in 3000 ms" } },
    });
  });
});

test("any other path is told what is here", async () => {
  await withHealth({}, async (get) => assert.equal((await get("/metrics")).status, 404));
});

test("a port that is taken is an error at the start, not later", async () => {
  const first = await serveHealth({ host: "127.0.0.1", port: 0, checks: {} });
  try {
    await assert.rejects(serveHealth({ host: "127.0.0.1", port: first.port, checks: {} }), /EADDRINUSE/);
  } finally {
    await first.close();
  }
});
