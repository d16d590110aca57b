import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after } from "node:test";
import { promisify } from "node:util";
import { cleanUps, stackFile } from "@deeplens/testing";
import type { Check, Examined } from "../check.ts";
import { examineAll } from "../examine-all.ts";
import { type Patient, readPatient } from "../patient.ts";

const endings = cleanUps();
after(() => endings.run());

const folder = mkdtempSync(join(tmpdir(), "doctor-"));
endings.add(async () => rmSync(folder, { recursive: true, force: true }));

/** The test installation, with some of its description another one: a name of its own, a wrong password's file. */
export const patientWith = (change: (stack: Patient["stack"]) => Partial<Patient["stack"]>): Patient => {
  const description = JSON.parse(readFileSync(stackFile(), "utf8")) as Patient["stack"];
  const changed = join(folder, `${randomBytes(4).toString("hex")}.json`);
  writeFileSync(changed, JSON.stringify({ ...description, ...change(description) }));
  return readPatient(changed, undefined);
};

/** The test installation as it is. */
export const healthy = (): Patient => patientWith(() => ({}));

/** An installation that nobody has: the services are the test installation's. */
export const nobodys = (): Patient =>
  patientWith(() => ({ installation: `doc-${randomBytes(3).toString("hex")}` }));

/** A file with what is no password of anything. */
export const wrongPassword = (): string => {
  const file = join(folder, "wrong-password");
  writeFileSync(file, "not-the-password", { mode: 0o600 });
  return file;
};

/** Runs one check by itself. */
export const examined = async (check: Check, patient: Patient, patienceMs = 15_000): Promise<Examined> => {
  const [one] = await examineAll([check], patient, {
    patienceMs,
    signal: new AbortController().signal,
    onDone: () => undefined,
  });
  if (one === undefined) throw new Error("the check was not run");
  return one;
};

/** The only finding of a check, as "what | mend". */
export const onlyFinding = ({ findings }: Examined): string => {
  const [one, ...others] = findings;
  if (one === undefined || others.length > 0)
    throw new Error(`one finding was expected: ${JSON.stringify(findings)}`);
  return `${one.severity}: ${one.what} | ${one.mend}`;
};

const run = promisify(execFile);

/** Docker's command line; gives what it printed. */
export const docker = async (...words: readonly string[]): Promise<string> =>
  (await run("docker", [...words])).stdout.trim();

/** Starts a container of the test's own from the image of one of the stack's services, and removes it at the end. */
export const ownContainer = async (
  name: string,
  options: readonly string[],
  service: string,
  command: readonly string[],
): Promise<void> => {
  endings.add(async () => void (await docker("rm", "--force", "--volumes", name)));
  const { installation } = healthy();
  const image = await docker("inspect", "--format", "{{.Config.Image}}", `${installation}-${service}`);
  const [entry = "", ...rest] = command;
  await docker("run", "--detach", "--name", name, ...options, "--entrypoint", entry, image, ...rest);
};

/** A web server of the test's own, closed at the end; its address. */
export const ownServer = async (answer: RequestListener, port = 0): Promise<string> => {
  const server = createServer(answer);
  await new Promise<void>((resolve) => {
    server.listen(port, "127.0.0.1", resolve);
  });
  endings.add(
    () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  );
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
};

/** The clean-ups of the file, for what a test makes by itself. */
export const atTheEnd = endings.add;
