import type { Argument, Command, Option } from "commander";

/** One word that could stand where the cursor is. */
export interface Candidate {
  readonly word: string;
  readonly about: string;
}

/** `files`: a file's name is wanted, which the shell knows best. */
export type Candidates = readonly Candidate[] | "files";

/** Where the words come from that the table of commands does not hold. */
export interface Sources {
  tenants(): Promise<readonly Candidate[]>;
  installations(): readonly Candidate[];
}

/**
 * What could stand in place of the last of the words (as the shell took the line apart, without the program's name),
 * by the table of commands itself: commands, options, their values and arguments.
 */
export const candidatesFor = async (
  program: Command,
  words: readonly string[],
  sources: Sources,
): Promise<Candidates> => {
  const current = words.at(-1) ?? "";
  const place = placeOf(program, words.slice(0, -1));
  const found = await at(place, current, sources);
  return found === "files" ? found : found.filter(({ word }) => word.startsWith(current));
};

interface Place {
  readonly command: Command;
  /** The option whose value comes now. */
  readonly option: Option | undefined;
  /** How many arguments of the command came before. */
  readonly position: number;
  /** After `--`: no option comes any more. */
  readonly onlyArguments: boolean;
}

const placeOf = (program: Command, before: readonly string[]): Place => {
  let place: Place = { command: program, option: undefined, position: 0, onlyArguments: false };
  for (const word of before) place = step(place, word);
  return place;
};

const step = (place: Place, word: string): Place => {
  const { command, option, position, onlyArguments } = place;
  if (option !== undefined) return { ...place, option: undefined };
  if (!onlyArguments && word === "--") return { ...place, onlyArguments: true };
  if (!onlyArguments && word.startsWith("-")) {
    const named = optionsOf(command).find(({ long, short }) => word === long || word === short);
    return named?.required === true ? { ...place, option: named } : place;
  }
  const next = position > 0 ? undefined : command.commands.find((one) => one.name() === word);
  return next === undefined
    ? { ...place, position: position + 1 }
    : { command: next, option: undefined, position: 0, onlyArguments };
};

const at = async (
  { command, option, position, onlyArguments }: Place,
  current: string,
  sources: Sources,
): Promise<Candidates> => {
  if (option !== undefined) return valuesOf(option, current, sources);
  if (!onlyArguments && current.startsWith("-"))
    return optionsOf(command)
      .filter(({ hidden, long }) => !hidden && long !== undefined)
      .map((one) => ({ word: one.long ?? "", about: one.description }));
  const argument = command.registeredArguments[position] ?? lastIfMany(command);
  return [
    ...(position === 0 ? subcommandsOf(command) : []),
    ...(argument === undefined ? [] : await argumentsOf(argument, sources)),
  ];
};

const subcommandsOf = (command: Command): readonly Candidate[] =>
  command
    .createHelp()
    .visibleCommands(command)
    .map((one) => ({ word: one.name(), about: one.description() }));

const lastIfMany = (command: Command): Argument | undefined => {
  const last = command.registeredArguments.at(-1);
  return last?.variadic === true ? last : undefined;
};

// The global ones may stand anywhere.
const optionsOf = (command: Command): readonly Option[] => {
  const help = command.createHelp();
  const above: Option[] = [];
  for (let one = command.parent; one !== null; one = one.parent) above.push(...one.options);
  return [...help.visibleOptions(command), ...above.filter(({ long }) => long !== "--help")];
};

// Words that a parser takes (see flags.ts); a list's next word is completed after its last comma.
const valuesOf = async (option: Option, current: string, sources: Sources): Promise<Candidates> => {
  if (option.long === "--installation") return sources.installations();
  if (/<file>/.test(option.flags)) return "files";
  if (/tenant/.test(option.long ?? "")) return sources.tenants();
  const parser = option.parseArg as { words?: readonly string[]; many?: boolean } | undefined;
  const before = parser?.many === true ? current.slice(0, current.lastIndexOf(",") + 1) : "";
  return (option.argChoices ?? parser?.words ?? []).map((word) => ({
    word: before + word,
    about: option.description,
  }));
};

/** Says of an argument that it is a tenant that is there; what `create` takes is not. */
const aTenant = /\btenant's name\b/;

const argumentsOf = (argument: Argument, sources: Sources): Promise<readonly Candidate[]> => {
  if (aTenant.test(argument.description)) return sources.tenants();
  return Promise.resolve((argument.argChoices ?? []).map((word) => ({ word, about: argument.description })));
};
