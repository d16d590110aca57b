import { Argument, Option } from "commander";
import { exitCodes } from "../exit-code.ts";
import { wholeNumber } from "../flags.ts";
import { reasonOf } from "../reason.ts";
import { acting, type Commands } from "../session.ts";
import { columns, shown } from "../text.ts";

interface AcceptOptions {
  readonly stream: "requests" | "replies";
  readonly from: "beginning" | "end";
  readonly reason?: string;
}

/** `shards`, and `shards accept`: the act for a partition that stopped because log and database are at odds. */
export const addShards = (commands: Commands): void => {
  const shards = commands.program
    .command("shards")
    .description("how far the orchestrator has read, and which partitions stopped and why")
    .action(
      acting<object, []>(commands, async (session) => {
        const { items } = await session.api().shards();
        session.out.result({ items }, () =>
          columns([
            ["SHARD", "STREAM", "NEXT", "STOPPED"],
            ...items.flatMap((shard) =>
              (["requests", "replies"] as const).map((stream) => [
                String(shard.shard),
                stream,
                String(shard[stream].next ?? "-"),
                shown(shard[stream].stopped ?? ""),
              ]),
            ),
          ]),
        );
        return exitCodes.ok;
      }),
    );
  shards
    .command("accept")
    .addArgument(new Argument("<shard>", "its number").argParser(wholeNumber(0, 255)))
    .description("read a stopped partition on, its former position given up; settle what diverged first")
    .addOption(
      new Option("--stream <stream>", "which of the shard's partitions")
        .choices(["requests", "replies"])
        .makeOptionMandatory(),
    )
    .addOption(
      new Option("--from <place>", "apply what the log holds (again), or pass it over")
        .choices(["beginning", "end"])
        .default("beginning"),
    )
    .option("--reason <text>", "why; it is recorded with your name")
    .addHelpText(
      "after",
      '\nExamples:\n  $ tenantctl shards accept 2 --stream requests --reason "the topic was made again"',
    )
    .action(
      acting<AcceptOptions, [number]>(commands, async (session, shard) => {
        const { stream, from } = session.options;
        const reason = await reasonOf(session, "accept");
        const answer = await session.api().acceptShard(shard, { stream, from, reason });
        session.out.result(answer, () =>
          answer.next === null
            ? `The act is in the inbox (${answer.inboxId}) and is applied as soon as an orchestrator takes it.`
            : `Done: ${stream} of shard ${shard} is read on from offset ${answer.next}.`,
        );
        return exitCodes.ok;
      }),
    );
};
