import { readFileSync } from "node:fs";
import { dirname } from "node:path";
import { dockerObserver, type EngineObserver } from "@deeplens/containers";
import { z } from "zod";
import { Refused } from "../refused.ts";

const port = z.int().min(1).max(65_535);
const database = z.object({ host: z.string(), port, passwordFile: z.string() });

// What `npm start` wrote about the installation, as far as it is looked at.
const description = z.object({
  installation: z.string(),
  network: z.string(),
  kafka: z.object({ brokers: z.array(z.string()), username: z.string(), passwordFile: z.string() }),
  schemaRegistry: z.object({ url: z.url() }),
  controlDb: database.extend({ database: z.string(), user: z.string() }),
  tenantDb: database.extend({ adminUser: z.string() }),
  redis: z.object({ host: z.string(), port, adminUser: z.string(), passwordFile: z.string() }),
  minio: z.object({ endpoint: z.url(), rootUser: z.string(), passwordFile: z.string() }),
  identity: z.object({ url: z.url() }),
  api: z.object({ url: z.url(), tokenFile: z.string() }),
  masterKeyFile: z.string(),
  images: z.object({ qdrant: z.string(), backup: z.string() }),
  qdrant: z.object({ httpPortBase: port, grpcPortBase: port }),
});

/** The installation that is examined: where its services are, and what opens them. */
export interface Patient {
  readonly installation: string;
  readonly stack: z.infer<typeof description>;
  /** The folder with its passwords, ports and logs. */
  readonly folder: string;
  readonly engine: EngineObserver;
}

/**
 * Reads an installation's stack.json.
 *
 * @throws Refused where it is not there, or is not what `npm start` writes
 */
export const readPatient = (stackFile: string, dockerHost: string | undefined): Patient => {
  let text: string;
  try {
    text = readFileSync(stackFile, "utf8");
  } catch (error) {
    throw new Refused(
      "installation-unknown",
      `the installation is not set up here: ${(error as Error).message}`,
      "run `npm start`, or name another one with --installation",
    );
  }
  const unusable = (reason: string): Refused =>
    new Refused(
      "stack-file-wrong",
      `${stackFile} can't be used: ${reason}`,
      "run `npm start` again: it writes the file anew",
    );
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw unusable(`it is no JSON (${(error as Error).message})`);
  }
  const parsed = description.safeParse(value);
  if (!parsed.success)
    throw unusable(
      parsed.error.issues.map(({ path, message }) => `${path.join(".")}: ${message}`).join("; "),
    );
  return {
    installation: parsed.data.installation,
    stack: parsed.data,
    folder: dirname(stackFile),
    engine: dockerObserver({ host: dockerHost }),
  };
};

/** A password of the installation, from its file. @throws naming the file */
export const passwordIn = (file: string): string => {
  try {
    return readFileSync(file, "utf8").trim();
  } catch (error) {
    throw new Error(`a password can't be read: ${(error as Error).message}`);
  }
};

/** The command that brings the whole stack up, with what is missing. */
export const npmStart = ({ installation }: Patient): string =>
  installation === "deeplens" ? "npm start" : `npm start -- --installation ${installation}`;

/** A command of tenantctl, for this installation. */
export const tenantctl = ({ installation }: Patient, words: string): string =>
  `tenantctl ${words}${installation === "deeplens" ? "" : ` --installation ${installation}`}`;

/** Some names in a line: the first ones, and how many more. */
export const someOf = (names: readonly string[]): string =>
  names.length <= 4 ? names.join(", ") : `${names.slice(0, 3).join(", ")} and ${names.length - 3} more`;

/** How to start services of the installation that do not run, and to see what became of them. */
export const startAgain = ({ installation }: Patient, services: readonly string[]): string =>
  `docker start ${services.map((service) => `${installation}-${service}`).join(" ")}; docker logs --tail 50 ${installation}-${services[0]}`;

/** How to see why a service of the installation does not answer, and to start it again. */
export const restart = ({ installation }: Patient, service: string): string =>
  `docker logs --tail 50 ${installation}-${service}; docker restart ${installation}-${service}`;
