import type { SagaSummary } from "@deeplens/client";
import { stepNames } from "@deeplens/contracts";
import { exitCodes } from "../exit-code.ts";
import { anyOf, someOf, wholeNumber } from "../flags.ts";
import { acting, type Commands } from "../session.ts";
import { tenantReference } from "../tenant-reference.ts";
import { columns, moment, shown } from "../text.ts";

interface Options {
  readonly status?: readonly string[];
  readonly step?: string;
  readonly tenant?: string;
  readonly limit: number;
}

const statuses = [
  "running",
  "compensating",
  "waiting",
  "stuck",
  "ready",
  "done",
  "undone",
  "rolled-back",
  "removed",
  "closed",
];

export const addSagas = (commands: Commands): void => {
  commands.program
    .command("sagas")
    .description("list sagas, newest first")
    .option("--status <statuses>", `only these: ${statuses.join(", ")}`, someOf(statuses))
    .option("--step <step>", "only those whose error is of this step", anyOf(stepNames))
    .option("--tenant <name>", "only those of this tenant's name")
    .option("--limit <number>", "at most so many", wholeNumber(1, 200), 50)
    .addHelpText(
      "after",
      "\nExamples:\n  $ tenantctl sagas --status stuck\n  $ tenantctl sagas --step storage --json",
    )
    .action(
      acting<Options, []>(commands, async ({ api, options, out }) => {
        const page = await api().sagas({
          limit: options.limit,
          ...(options.status === undefined ? {} : { statuses: options.status }),
          ...(options.step === undefined ? {} : { step: options.step }),
          ...(options.tenant === undefined ? {} : { slug: tenantReference(options.tenant) }),
        });
        out.result(page, () => tableOf(page.items, page.next !== null));
        return exitCodes.ok;
      }),
    );
};

const tableOf = (sagas: readonly SagaSummary[], more: boolean): string => {
  if (sagas.length === 0) return "There is no such saga.";
  const rows = sagas.map((saga) => [
    saga.sagaId,
    saga.slug,
    saga.kind,
    saga.status,
    moment(saga.createdAt),
    saga.error === null ? "" : shown(`${saga.error.step ?? "-"}: ${saga.error.code}`),
  ]);
  const table = columns([["SAGA", "TENANT", "KIND", "STATUS", "SINCE", "ERROR"], ...rows]);
  return more ? `${table}\nThere are more: ask with --limit or a filter.` : table;
};
