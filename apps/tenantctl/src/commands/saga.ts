import type { HistoryEntry, Saga } from "@deeplens/client";
import { exitCodes } from "../exit-code.ts";
import { sagaIdOf } from "../saga-reference.ts";
import { describeSaga } from "../saga-text.ts";
import { acting, type Commands } from "../session.ts";
import { timeline } from "../timeline.ts";

export const addSaga = (commands: Commands): void => {
  commands.program
    .command("saga")
    .argument("<saga>", "a saga's id, or a tenant's name for its latest saga")
    .description("show a saga: its steps, and its history as a timeline")
    .addHelpText("after", "\nExamples:\n  $ tenantctl saga acme\n  $ tenantctl saga 0b5e... --json")
    .action(
      acting<unknown, [string]>(commands, async ({ api, out }, reference) => {
        const client = api();
        const saga = await client.saga(await sagaIdOf(client, reference));
        const history: HistoryEntry[] = [];
        for await (const entry of client.history(saga.sagaId)) history.push(entry);
        out.result({ ...saga, history }, () => textOf(saga, history));
        return exitCodes.ok;
      }),
    );
};

const textOf = (saga: Saga, history: readonly HistoryEntry[]): string =>
  `${describeSaga(saga, Date.now())}\n\nHistory\n${timeline(history)}`;
