import { readFileSync } from "node:fs";
import { z } from "zod";

/** What sysexits.h calls EX_CONFIG. */
export const configurationExitCode = 78;

export class ConfigurationError extends Error {
  readonly problems: readonly string[];
  constructor(problems: readonly string[]) {
    super(`the configuration is wrong:\n${problems.map((problem) => `  ${problem}`).join("\n")}`);
    this.name = "ConfigurationError";
    this.problems = problems;
  }
}

/** What holds between variables: gives a text for each that is broken, which begins with the variable's name. */
export type ConfigRule<Config> = (config: Config) => readonly string[];

/**
 * Parses the environment by a schema. A variable `X` may come as `X_FILE`, the path of a file with its value (a last
 * newline is dropped): secrets come that way.
 *
 * @throws ConfigurationError naming every variable that is missing or wrong, all at once
 */
export const parseConfig = <Shape extends z.ZodRawShape>(
  shape: Shape,
  environment: Readonly<Record<string, string | undefined>>,
  rule: ConfigRule<z.infer<z.ZodObject<Shape>>> = () => [],
): z.infer<z.ZodObject<Shape>> => {
  const problems: string[] = [];
  const values: Record<string, string> = {};
  const unreadable = new Set<string>();
  for (const name of Object.keys(shape)) {
    const file = environment[`${name}_FILE`];
    const value = environment[name];
    if (value !== undefined && value !== "") values[name] = value;
    else if (file !== undefined && file !== "") {
      try {
        values[name] = readFileSync(file, "utf8").replace(/\r?\n$/, "");
      } catch (error) {
        unreadable.add(name);
        problems.push(`${name}_FILE: ${(error as Error).message}`);
      }
    }
  }
  const parsed = z.object(shape).safeParse(values);
  if (parsed.success) problems.push(...rule(parsed.data));
  if (parsed.success && problems.length === 0) return parsed.data;
  for (const issue of parsed.error?.issues ?? []) {
    const name = String(issue.path[0]);
    if (unreadable.has(name)) continue;
    problems.push(
      name in values ? `${name}: ${issue.message}` : `${name}: is missing (set it, or ${name}_FILE)`,
    );
  }
  throw new ConfigurationError(problems);
};

/** parseConfig over process.env; on a wrong configuration it names every problem on standard error and exits 78. */
export const readConfig = <Shape extends z.ZodRawShape>(
  shape: Shape,
  rule?: ConfigRule<z.infer<z.ZodObject<Shape>>>,
): z.infer<z.ZodObject<Shape>> => {
  try {
    return parseConfig(shape, process.env, rule);
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error;
    process.stderr.write(`${error.message}\nSee docs/configuration.md for what each variable means.\n`);
    process.exit(configurationExitCode);
  }
};
