import { access, mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { lifeOperations } from "../../life.ts";
import { type Operation, operationDone, type StepContext, type StepHandler } from "../../step.ts";

// A step small enough to see through: a tenant's folder with two files, each with its owner in it. A test holds it
// anywhere by a file named `<slug>.hold-<place>` beside the folders: the handler notes that it is there, in
// `<slug>.at-<place>`, and waits until the hold is gone.

const names = ["one", "two"];

export const fileStep = (root: string): StepHandler => {
  const place = async (slug: string, at: string, signal?: AbortSignal): Promise<void> => {
    const hold = join(root, `${slug}.hold-${at}`);
    if (!(await exists(hold))) return;
    await writeFile(join(root, `${slug}.at-${at}`), String(process.pid));
    while (await exists(hold)) await delay(10, undefined, signal === undefined ? {} : { signal });
  };
  const ensure = async (context: StepContext, slug: string, tenantId: string, name: string) => {
    const path = join(root, slug, name);
    await context.ledger.intend({ kind: "file", name: path });
    await context.call(`write ${name}`, async () => {
      await mkdir(join(root, slug), { recursive: true });
      // As a request that has left the process, this can't be called back.
      await place(slug, name);
      await writeFile(path, tenantId);
    });
    await context.ledger.made({ kind: "file", name: path });
  };
  return {
    provision: async ({ tenant: { slug, tenantId, name: title } }, context) => {
      await writeFile(join(root, `${slug}.ran-${context.fence}-${process.pid}-${Date.now()}`), title);
      await place(slug, "deaf");
      await place(slug, "start", context.signal);
      const secret = await context.secrets.ensure("storage.key");
      if (await exists(join(root, `${slug}.fail`)))
        throw new Error(`the service said no to ${secret.value}`, { cause: { code: "ECONNREFUSED" } });
      for (const name of names) await ensure(context, slug, tenantId, name);
      const resources = names.map((name) => ({ kind: "file", name: join(root, slug, name) }));
      return { outputs: { key: secret.reference }, resources };
    },
    compensate: async ({ tenant: { slug } }, context) => {
      const receipt = [];
      for (const entry of await context.ledger.owned()) {
        const there = await context.call(`look for ${entry.name}`, () => exists(entry.name));
        if (there) await context.call(`remove ${entry.name}`, () => rm(entry.name));
        await context.ledger.gone(entry);
        const outcome = there ? ("removed" as const) : ("absent" as const);
        receipt.push({ kind: entry.kind, name: entry.name, outcome });
      }
      await context.call("remove the folder", () => rm(join(root, slug), { recursive: true, force: true }));
      await context.secrets.remove("storage.key");
      return receipt;
    },
    operations: lifeOperations({
      suspend: closing(root, "closed"),
      resume: closing(root, "open"),
      purge: async ({ tenant: { slug } }, context) => {
        const rows = await context.ledger.owned();
        await context.call("remove the folder", () => rm(join(root, slug), { recursive: true, force: true }));
        for (const row of rows) await context.ledger.gone(row);
        return operationDone(rows.map(({ kind, name }) => ({ kind, name, outcome: "removed" })));
      },
    }),
  };
};

/** Writes into the tenant's folder whether it is open. */
const closing =
  (root: string, outcome: "closed" | "open"): Operation =>
  async ({ tenant: { slug } }, context) => {
    await context.call("say so", () => writeFile(join(root, slug, "door"), `${outcome} ${context.fence}`));
    return operationDone([{ kind: "file", name: join(root, slug, "door"), outcome }]);
  };

/** Holds the tenant's handler at that place, until it is let go. */
export const hold = async (root: string, slug: string, at: string) => {
  const path = join(root, `${slug}.hold-${at}`);
  await writeFile(path, "");
  return {
    there: () => exists(join(root, `${slug}.at-${at}`)),
    letGo: () => rm(path, { force: true }),
  };
};

/** Makes the tenant's provision fail, with its secret in the message, until that is ended. */
export const failing = async (root: string, slug: string) => {
  const path = join(root, `${slug}.fail`);
  await writeFile(path, "");
  return { end: () => rm(path) };
};

/** The files of a tenant, with the owner that stands in each. */
export const filesOf = async (root: string, slug: string): Promise<Record<string, string>> => {
  const found = await readdir(join(root, slug)).catch(() => []);
  const files = found.map(async (name) => [name, await readFile(join(root, slug, name), "utf8")] as const);
  return Object.fromEntries(await Promise.all(files));
};

/** How often provision began for the tenant, as `<fence>-<pid>`. */
export const runsOf = async (root: string, slug: string): Promise<string[]> =>
  (await readdir(root))
    .filter((name) => name.startsWith(`${slug}.ran-`))
    .map((name) => name.slice(`${slug}.ran-`.length).split("-").slice(0, 2).join("-"));

const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );
