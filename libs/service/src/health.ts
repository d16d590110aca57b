import { createServer, type Server } from "node:http";

/** One thing that must answer before the process is ready: resolves when it does, rejects with the reason. */
export type HealthCheck = () => Promise<void> | void;

export interface ListeningServer {
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
}): Promise<ListeningServer> => {
  const server = createServer(async (request, response) => {
    const answer = (status: number, body: unknown): void => {
      response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
    };
    if (request.url === "/health/live") return answer(200, { status: "live" });
    if (request.url !== "/health/ready")
      return answer(404, { error: "only /health/live and /health/ready are here" });
    const { status, body } = await readiness(options.checks);
    answer(status, body);
  });
  return listen(server, options);
};

/** The answer to GET /health/ready: every check is run at once, and has 3 s. */
export const readiness = async (
  checks: Readonly<Record<string, HealthCheck>>,
): Promise<{ readonly status: 200 | 503; readonly body: unknown }> => {
  const results = await Promise.all(
    Object.entries(checks).map(async ([name, check]) => [name, await outcomeOf(check)] as const),
  );
  const ready = results.every(([, outcome]) => outcome === "ok");
  const body = { status: ready ? "ready" : "not ready", checks: Object.fromEntries(results) };
  return { status: ready ? 200 : 503, body };
};

/** Listens; `close` also ends the connections that are open. */
export const listen = async (
  server: Server,
  { host, port }: { readonly host: string; readonly port: number },
): Promise<ListeningServer> => {
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject).listen(port, host, resolve);
  });
  const address = server.address();
  return {
    port: typeof address === "object" && address !== null ? address.port : port,
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
