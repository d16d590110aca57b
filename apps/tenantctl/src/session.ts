import { type ApiClient, createApiClient } from "@deeplens/client/api";
import type { Command } from "commander";
import type { ExitCode } from "./exit-code.ts";
import { findInstallation, type Installation, readToken } from "./installation.ts";
import { createOutput, type Output } from "./output.ts";
import type { World } from "./world.ts";

/** What a command works with. */
export interface Session<Options> {
  readonly world: World;
  readonly options: Options;
  readonly out: Output;
  /** Throws Refused where the installation was not set up here. */
  readonly installation: () => Installation;
  /** The API of the installation, with its token. */
  readonly api: () => ApiClient;
}

export interface GlobalOptions {
  readonly installation?: string;
  readonly api?: string;
  readonly tokenFile?: string;
  readonly json?: boolean;
}

/** Adds a command to the program; its exit code goes where `run` finds it. */
export interface Commands {
  readonly program: Command;
  readonly world: World;
  exitCode: ExitCode;
}

/**
 * The action of a command: opens the session from its options, the global ones included, and keeps its exit code.
 * Commander gives the arguments first, then the options and the command itself.
 */
export const acting =
  <Options, Arguments extends readonly unknown[]>(
    commands: Commands,
    work: (session: Session<Options>, ...args: Arguments) => Promise<ExitCode>,
  ) =>
  async (...given: unknown[]): Promise<void> => {
    const command = given.at(-1) as Command;
    const args = given.slice(0, -2) as unknown as Arguments;
    commands.exitCode = await work(openSession<Options>(commands.world, command), ...args);
  };

const openSession = <Options>(world: World, command: Command): Session<Options> => {
  const options = command.optsWithGlobals<GlobalOptions & Options>();
  const installation = (): Installation => findInstallation(options, world.environment);
  return {
    world,
    options,
    out: createOutput(world, options.json === true),
    installation,
    api: () => {
      const found = installation();
      return createApiClient({ url: found.api, token: readToken(found), actor: world.actor });
    },
  };
};
