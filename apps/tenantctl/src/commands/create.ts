import { randomUUID } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import { type Accepted, type ApiClient, ApiUnreachable, type InboxEntry } from "@deeplens/client/api";
import type { Command } from "commander";
import { followToEnd, tellEnd } from "../follow.ts";
import { Interrupted, NotAnswered, Refused } from "../refused.ts";
import { acting, type Commands, type Session } from "../session.ts";
import { shown } from "../text.ts";
import { type WishOptions, wishOf } from "../wish.ts";

export interface CreateOptions extends WishOptions {
  readonly requestId?: string;
}

/** The argument and the flags that say what is wished for. */
export const withWishFlags = (command: Command): Command =>
  command
    .argument("<name>", "what to call the tenant; its slug is made from it")
    .option("--tier <tier>", "free, professional or enterprise")
    .option(
      "--storage <model>",
      "deeplens (a bucket of its own), none, or byos (storage that is the tenant's own)",
    )
    .option("--byos-provider <name>", "aws_s3 (all that speaks S3), azure_blob or gcs")
    .option("--byos-bucket <name>", "its bucket, or container; it is there already")
    .option("--byos-endpoint <url>", "where the service is, unless it is the provider's own")
    .option("--byos-region <region>", "of an aws_s3 bucket")
    .option("--byos-prefix <folder>", "the folder of the bucket that is the tenant's")
    .option("--byos-path-style", "aws_s3: the bucket is named in the path, as MinIO and others want it")
    .option("--secret <reference>", "the bucket's credentials, as `tenantctl secret put` names them")
    .option("--admin-email <address>", "the first administrator's e-mail address")
    .option("--admin-name <name>", "the first administrator's first and last name")
    .option("--request-id <id>", "the request's own id; the same again never makes a second tenant");

export const addCreate = (commands: Commands): void => {
  withWishFlags(commands.program.command("create"))
    .description("make a tenant and wait until it is ready; asks for what it was not told when on a terminal")
    .addHelpText(
      "after",
      '\nExamples:\n  $ tenantctl create "Acme Corp"\n  $ tenantctl create acme --tier free --storage none --admin-email ada@acme.example --admin-name "Ada Lovelace" --json\n  $ tenantctl create acme --storage byos --byos-provider aws_s3 --byos-bucket acme-images --byos-region eu-central-1 \\\n      --secret drop:0f8b6f3e-5c1d-4c39-9d2e-3b0a5e6f7a81',
    )
    .action(
      acting<CreateOptions, [string]>(commands, async (session, name) => {
        const wish = await wishOf(session, name);
        const requestId = session.options.requestId ?? randomUUID();
        const api = session.api();
        const accepted = await requested(() => api.requestTenant(wish, requestId), requestId);
        session.out.say(
          accepted.repeated
            ? `This request was made before: ${accepted.slug} (${accepted.tenantId})`
            : `Requested ${accepted.slug} (${accepted.tenantId})`,
        );
        const sagaId = accepted.sagaId ?? (await sagaFromInbox(session, api, accepted));
        return tellEnd(session, api, await followToEnd(session, api, sagaId, accepted.slug));
      }),
    );
};

// The request may have arrived although its answer did not: only the same id asks for the same tenant.
const requested = async (ask: () => Promise<Accepted>, requestId: string): Promise<Accepted> => {
  try {
    return await ask();
  } catch (error) {
    if (!(error instanceof ApiUnreachable)) throw error;
    throw new NotAnswered(
      `${error.message}; whether the request arrived is not known`,
      `run the same command again with --request-id ${requestId}, so that it stays one request`,
    );
  }
};

const pollMs = 500;

const resultOf = async (api: ApiClient, inboxId: number): Promise<InboxEntry["result"]> => {
  try {
    return (await api.inbox(inboxId)).result;
  } catch (error) {
    if (error instanceof ApiUnreachable) return null;
    throw error;
  }
};

const sagaFromInbox = async (
  session: Session<CreateOptions>,
  api: ApiClient,
  accepted: Accepted,
): Promise<string> => {
  session.out.progress.write(
    "waiting for an orchestrator to take the request (Ctrl+C leaves it there) ...\n",
  );
  while (!session.world.interrupted.aborted) {
    // The row stays where it is while the orchestrator is away.
    const result = await resultOf(api, accepted.inboxId);
    if (result !== null) {
      if (typeof result.sagaId === "string") return result.sagaId;
      throw new Refused(
        String(result.code ?? "refused"),
        shown(String(result.message ?? "the request was refused")),
        "correct the field and run it again",
      );
    }
    await delay(pollMs);
  }
  throw new Interrupted(
    `the request for ${accepted.slug} stays in the inbox (${accepted.inboxId})`,
    `see later with \`tenantctl status ${accepted.slug}\``,
  );
};
