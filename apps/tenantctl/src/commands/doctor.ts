import type { Examined } from "../doctor/check.ts";
import { type ExitCode, exitCodes } from "../exit-code.ts";
import { someOf, wholeNumber } from "../flags.ts";
import { Interrupted } from "../refused.ts";
import { acting, type Commands } from "../session.ts";

interface Options {
  readonly only?: readonly string[];
  readonly patience: number;
}

/** The checks by name, for --only, without loading them: most commands ask no broker and no engine. */
export const checkNames = [
  "engine",
  "network",
  "containers",
  "ports",
  "kafka",
  "registry",
  "postgres",
  "redis",
  "minio",
  "identity",
  "orchestrator",
  "workers",
  "shards",
  "secrets",
  "qdrant",
  "backups",
  "disk",
  "clock",
  "versions",
  "certificates",
] as const;

export const addDoctor = (commands: Commands): void => {
  commands.program
    .command("doctor")
    .description("look over the whole installation; each finding comes with what mends it")
    .option("--only <checks>", `these checks, with commas: ${checkNames.join(", ")}`, someOf(checkNames))
    .option("--patience <seconds>", "how long a check may take", wholeNumber(1, 300), 10)
    .addHelpText(
      "after",
      "\nIt asks the services themselves, not the orchestrator, so it works while that is down. It changes nothing." +
        "\nExit codes: 0 all is well, 3 problems, 4 warnings only." +
        "\nExamples:\n  $ tenantctl doctor\n  $ tenantctl doctor --only kafka,workers\n  $ tenantctl doctor --json | jq -r '.findings[].mend'",
    )
    .action(
      acting<Options, []>(commands, async ({ installation, out, options, world }) => {
        const [{ readPatient }, { checks }, { examineAll }, { showChecks, reportOf }] = await Promise.all([
          import("../doctor/patient.ts"),
          import("../doctor/checks.ts"),
          import("../doctor/examine-all.ts"),
          import("../doctor/report.ts"),
        ]);
        const patient = readPatient(installation().stackFile, world.environment.DOCKER_HOST);
        const wanted = checks.filter(({ name }) => options.only?.includes(name) ?? true);
        const progress = showChecks(
          out.progress,
          wanted.map(({ name }) => name),
        );
        const all = await examineAll(wanted, patient, {
          patienceMs: options.patience * 1_000,
          signal: world.interrupted,
          onDone: progress.done,
        });
        progress.end();
        if (world.interrupted.aborted) throw new Interrupted("the doctor was stopped", "run it again");
        out.result(resultOf(patient.installation, all), () => `\n${reportOf(all)}`);
        return exitCodeOf(all);
      }),
    );
};

const resultOf = (installation: string, all: readonly Examined[]) => ({
  installation,
  checks: all.map(({ findings: _findings, ...rest }) => rest),
  findings: all.flatMap(({ check, findings }) => findings.map((finding) => ({ check, ...finding }))),
});

const exitCodeOf = (all: readonly Examined[]): ExitCode => {
  if (all.some(({ status }) => status === "problem")) return exitCodes.problems;
  return all.some(({ status }) => status === "warning") ? exitCodes.warnings : exitCodes.ok;
};
