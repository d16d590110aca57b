import { execFileSync } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { cpus, totalmem } from "node:os";
import { fileURLToPath } from "node:url";
import { stack } from "@deeplens/testing";
import Docker from "dockerode";
import { type Report, tableOf } from "./report.ts";

/** What a benchmark found, where and when. */
export interface SavedResult {
  /** As it is typed. */
  readonly command: string;
  readonly date: string;
  readonly machine: string;
  readonly versions: Readonly<Record<string, string>>;
  readonly report: Report;
}

const pathOf = (name: string): string => fileURLToPath(new URL(`../../docs/${name}`, import.meta.url));
const folder = "performance";

/** Keeps a result in docs/performance/, in place of an older one of the same command, and writes docs/performance.md. */
export const saveResult = async (argv: readonly string[], report: Report): Promise<void> => {
  const words = argv.filter((word) => word !== "--save" && word !== "--json");
  const result: SavedResult = {
    command: `npm run bench -- ${words.join(" ")}`,
    date: new Date().toISOString().slice(0, 16).replace("T", " "),
    machine: machine(),
    versions: await versions(),
    report,
  };
  const name = words.join(" ").replaceAll(/[^a-z0-9]+/gi, "-");
  mkdirSync(pathOf(folder), { recursive: true });
  writeFileSync(pathOf(`${folder}/${name}.json`), `${JSON.stringify(result, undefined, 2)}\n`);
  writePage();
};

/** docs/performance.md from what is kept in docs/performance/. */
export const writePage = (): void => writeFileSync(pathOf(page), currentPage());

/** The page as it is, and as it has to be. */
export const pageOnDisk = (): { is: string; wanted: string } => ({
  is: readFileSync(pathOf(page), "utf8"),
  wanted: currentPage(),
});

const page = "performance.md";
const currentPage = (): string => pageOf(readFileSync(pathOf(`${folder}/findings.md`), "utf8"), saved());

const saved = (): SavedResult[] =>
  readdirSync(pathOf(folder))
    .filter((file) => file.endsWith(".json"))
    .sort()
    .map((file) => JSON.parse(readFileSync(pathOf(`${folder}/${file}`), "utf8")));

/** The page: what was measured, by the tool; then what was found, by hand. */
export const pageOf = (findings: string, results: readonly SavedResult[]): string => `# Performance

Written by \`npm run bench -- <benchmark> --save\` from what it measured; the findings below the tables are kept by hand in
docs/performance/findings.md. Medians of the runs, with minimum and maximum beside them.

${results.map(sectionOf).join("\n\n")}

${findings.trim()}
`;

const sectionOf = ({
  command,
  date,
  machine: on,
  versions: of,
  report,
}: SavedResult): string => `## \`${command}\`

${date} UTC on ${on}; ${Object.entries(of)
  .map(([name, version]) => `${name} ${version}`)
  .join(", ")}.

\`\`\`
${tableOf(report).trim()}
\`\`\``;

const machine = (): string => {
  const [{ model } = { model: "unknown CPU" }, ...rest] = cpus();
  return `${rest.length + 1} x ${model.trim()}, ${Math.round(totalmem() / 1024 ** 3)} GiB, Linux`;
};

/** Of what does the work; the services' as their images say it. */
const versions = async (): Promise<Record<string, string>> => ({
  commit: execFileSync("git", ["rev-parse", "--short", "HEAD"], {
    cwd: pathOf(".."),
    encoding: "utf8",
  }).trim(),
  Node: process.versions.node,
  Kafka: await said("kafka", "ls /opt/kafka/libs | sed -n 's/^kafka-clients-\\(.*\\)\\.jar$/\\1/p'"),
  Postgres: await said("postgres", "ls -d /usr/lib/postgresql/*/ | sed 's|.*/\\([0-9]*\\)/$|\\1|'"),
});

const said = async (service: string, script: string): Promise<string> => {
  const container = new Docker().getContainer(`${stack().installation}-${service}`);
  const exec = await container.exec({ Cmd: ["bash", "-c", script], AttachStdout: true, Tty: true });
  const stream = await exec.start({ Tty: true });
  const text = (await stream.toArray()).join("").trim();
  return text === "" ? "of an unknown version" : text;
};
