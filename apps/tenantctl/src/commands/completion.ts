import { Argument } from "commander";
import { candidatesFor } from "../completion/candidates.ts";
import { completionScripts, type Shell, shells } from "../completion/scripts.ts";
import { sourcesFor } from "../completion/sources.ts";
import { exitCodes } from "../exit-code.ts";
import { acting, type Commands } from "../session.ts";
import { shown } from "../text.ts";

/** `completion <shell>`, and what its script asks on every press of TAB: the hidden `__complete`. */
export const addCompletion = (commands: Commands): void => {
  commands.program
    .command("completion")
    .addArgument(new Argument("<shell>", "the shell").choices(shells))
    .description("print what makes a shell complete commands, flags and tenants' names")
    .addHelpText(
      "after",
      "\nExamples:\n  $ source <(tenantctl completion bash)" +
        "\n  $ source <(tenantctl completion zsh)" +
        "\n  $ tenantctl completion fish > ~/.config/fish/completions/tenantctl.fish",
    )
    .action(
      acting<unknown, [Shell]>(commands, async ({ out }, shell) => {
        const script = completionScripts[shell];
        out.result({ shell, script }, () => script.trimEnd());
        return exitCodes.ok;
      }),
    );

  commands.program
    .command("__complete", { hidden: true })
    .argument("[words...]", "the line so far")
    .action(
      acting<unknown, [readonly string[]]>(commands, async ({ world }, words) => {
        const found = await candidatesFor(commands.program, words, sourcesFor(world, words));
        const lines =
          found === "files" ? [":files"] : found.map(({ word, about }) => `${word}\t${shown(about)}`);
        world.stdout.write(lines.map((line) => `${line}\n`).join(""));
        return exitCodes.ok;
      }),
    );
};
