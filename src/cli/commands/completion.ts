import { Argument } from "commander";
import { type DefineCommand, examples } from "../command.ts";
import { completionScript, SHELLS } from "../completion.ts";

export const define: DefineCommand = (command, { terminal }) => {
  command
    .description("Prints a script that completes commands, options, tasks, settings and models in a shell.")
    .addArgument(new Argument("<shell>", "the shell").choices(SHELLS))
    .addHelpText(
      "after",
      examples({
        "bash, in ~/.bashrc": 'eval "$(dart-eval completion bash)"',
        "zsh, in ~/.zshrc after compinit": 'eval "$(dart-eval completion zsh)"',
        fish: "dart-eval completion fish > ~/.config/fish/completions/dart-eval.fish",
      }),
    )
    .action((shell: (typeof SHELLS)[number]) => terminal.print(completionScript(shell)));
};
