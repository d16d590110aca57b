/** Wires the stand-in: waits for Postgres, makes its tables and its signing key, and only then listens. */
import { setTimeout as sleep } from "node:timers/promises";
import pg from "pg";
import { type Config, parseConfig } from "./config.ts";
import { createServer } from "./http.ts";
import { createPostgresStore, makeTables } from "./postgres-store.ts";
import { createSigner, makeKey } from "./tokens.ts";

const say = (level: 30 | 40, msg: string): void =>
  console.log(JSON.stringify({ level, time: Date.now(), service: "identity-api", msg }));

const config = ((): Config => {
  try {
    return parseConfig(process.env);
  } catch (error) {
    console.error((error as Error).message);
    process.exit(78);
  }
})();
say(
  30,
  "STAND-IN for DeepLens's Identity API: a small server with the calls that the tenant control plane uses, for local use",
);

const pool = new pg.Pool({
  host: config.IDENTITY_DB_HOST,
  port: config.IDENTITY_DB_PORT,
  database: config.IDENTITY_DB_NAME,
  user: config.IDENTITY_DB_USER,
  password: config.dbPassword,
  max: 5,
  connectionTimeoutMillis: 5_000,
  query_timeout: 10_000,
});
// A connection that breaks while nobody uses it: the next one is new.
pool.on("error", (error) => say(40, `Postgres: ${error.message}`));
const store = createPostgresStore(pool);

const startWhenPostgresAnswers = async (): Promise<string> => {
  try {
    await makeTables(pool);
    return await store.signingKey(makeKey);
  } catch (error) {
    say(40, `waiting for Postgres: ${(error as Error).message}`);
    await sleep(2_000);
    return startWhenPostgresAnswers();
  }
};
const stopEarly = (): void => process.exit(0);
process.once("SIGTERM", stopEarly);
process.once("SIGINT", stopEarly);
const signer = createSigner(await startWhenPostgresAnswers(), config.IDENTITY_ISSUER);
process.off("SIGTERM", stopEarly);
process.off("SIGINT", stopEarly);

const { IDENTITY_ISSUER: issuer, LOG_LEVEL: logLevel, clients } = config;
const server = createServer({ store, signer, issuer, clients, logLevel });
const stop = async (): Promise<void> => {
  await server.close();
  await pool.end();
};
process.once("SIGTERM", () => void stop());
process.once("SIGINT", () => void stop());
await server.listen({ host: config.HOST, port: config.PORT });
