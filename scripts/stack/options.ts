/** What every command of the stack is told: flags first, then the environment, then defaults. */
import { parseArgs } from "node:util";

export class UsageError extends Error {}

type Flags = { readonly [name: string]: { readonly type: "boolean" | "string"; readonly help: string } };

const common: Flags = {
  installation: {
    type: "string",
    help: "whose stack (default: DEEPLENS_INSTALLATION, then the command's own)",
  },
  help: { type: "boolean", help: "this text" },
};

/**
 * Parses `argv` by `flags`. Prints the help and ends the process when asked for it.
 * Throws UsageError, made for a person, for an unknown flag or a wrong installation name.
 */
export function readOptions(
  argv: readonly string[],
  about: {
    readonly usage: string;
    readonly example: string;
    readonly installation: string;
    readonly flags?: Flags;
    /** What words beside the flags mean; without it there are none. */
    readonly words?: string;
  },
): {
  readonly installation: string;
  readonly flag: (name: string) => boolean;
  readonly words: readonly string[];
} {
  const flags = { ...about.flags, ...common };
  const options = Object.fromEntries(Object.entries(flags).map(([name, { type }]) => [name, { type }]));
  let parsed: ReturnType<typeof parseArgs>;
  try {
    parsed = parseArgs({ args: [...argv], options, allowPositionals: true });
  } catch (error) {
    const reason = String(error instanceof Error ? error.message : error).split(". ")[0];
    throw new UsageError(`${reason}.\nSee: ${about.usage} -- --help`);
  }
  if (parsed.values.help) {
    const lines = Object.entries(flags).map(([name, { type, help }]) => {
      const shown = type === "string" ? `--${name} NAME` : `--${name}`;
      return `  ${shown.padEnd(22)} ${help}`;
    });
    console.log(
      [
        `usage: ${about.usage} -- [flags]${about.words === undefined ? "" : ` [${about.words}]`}`,
        "",
        ...lines,
        "",
        "example:",
        `  ${about.example}`,
      ].join("\n"),
    );
    process.exit(0);
  }
  const [word] = parsed.positionals;
  if (word !== undefined && about.words === undefined)
    throw new UsageError(`"${word}" means nothing here.\nSee: ${about.usage} -- --help`);
  // Without the two dashes npm takes a flag for its own, and the command would do another thing than was meant.
  const taken = Object.keys(flags).find((name) => npmTook(name) && parsed.values[name] === undefined);
  if (taken !== undefined)
    throw new UsageError(`npm took --${taken} for itself: write "${about.usage} -- --${taken}".`);
  const asked = parsed.values.installation;
  const name = typeof asked === "string" ? asked : process.env.DEEPLENS_INSTALLATION || about.installation;
  return {
    installation: parseInstallation(name),
    flag: (flag) => parsed.values[flag] === true,
    words: parsed.positionals,
  };
}

// npm's own flags may come from the person's .npmrc: no sign of what was meant here.
const npmsOwn = new Set(["yes", "help"]);
const npmTook = (flag: string): boolean =>
  !npmsOwn.has(flag) && process.env[`npm_config_${flag.replaceAll("-", "_")}`] !== undefined;

/** The name is the prefix of containers, volumes, topics and buckets, so it takes what all of these allow: `<name>-qdrant-<slug>` is a host name of 63 characters at most. */
export function parseInstallation(name: string): string {
  if (!/^[a-z][a-z0-9-]{0,13}[a-z0-9]$/.test(name)) {
    throw new UsageError(
      `The installation "${name}" is no name: 2 to 15 of a-z, 0-9 and "-", a letter first, no "-" at the end.`,
    );
  }
  return name;
}
