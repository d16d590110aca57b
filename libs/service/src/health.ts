import { createServer } from "node:http";

/** One thing that must answer before the process is ready: resolves when it does, rejects with the reason. */
export type HealthCheck = () => Promise<void> | void;

export interface HealthServer {
  /** The port it listens on (of use when 0 was asked for). */
  readonly port: number;
  close(): Promise<void>;
}

const checkMs = 3_000;

/**
 * Answers GET /health/live (200 while the process runs) and GET /health/ready (200 when every check passes, else 503
 * with the name of each check and its reason).
 */
export const serveHealth = async (options: {
  host: string;
  port: number;
  checks: Readonly<Record<string, HealthCheck>>;
}): Promise<HealthServer> => {
  const server = createServer(async (request, response) => {
    const answer = (status: number, body: unknown): void => {
      response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
    };
    if (request.url === "/health/live") return answer(200, { status: "live" });
    if (request.url !== "/health/ready")
      return answer(404, { error: "only /health/live and /health/ready are here" });
    const results = await Promise.all(
      Object.entries(options.checks).map(async ([name, check]) => [name, await outcomeOf(check)] as const),
    );
    const ready = results.every(([, outcome]) => outcome === "ok");
    answer(ready ? 200 : 503, { status: ready ? "ready" : "not ready", checks: Object.fromEntries(results) });
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject).listen(options.port, options.host, resolve);
  });
  const address = server.address();
  return {
    port: typeof address === "object" && address !== null ? address.port : options.port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
};

const outcomeOf = async (check: HealthCheck): Promise<string> => {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer in ${checkMs} ms`)), checkMs);
  });
  try {
    await Promise.race([check(), late]);
    return "ok";
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  } finally {
    clearTimeout(timer);
  }
};
