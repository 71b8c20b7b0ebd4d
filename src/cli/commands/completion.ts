import { Argument, type Command, type Option } from "commander";
import { SOURCES } from "../../datasets/sources/catalogue.ts";
import { SETTINGS } from "../../evaluation/settings/catalogue.ts";
import { TASKS } from "../../evaluation/tasks/catalogue.ts";
import { LANGUAGE_MODELS } from "../../models/language/catalogue.ts";
import { modelNames } from "../../models/open-checkpoint.ts";
import { COMPLETE, type DefineCommand, examples } from "../command.ts";

export const defineCompletion: DefineCommand = (command, { terminal }) => {
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

const SHELLS = ["bash", "zsh", "fish"] as const;

/** A shell's script that completes `dart-eval`; words without a completion fall back to file names. */
function completionScript(shell: (typeof SHELLS)[number]): string {
  return SCRIPTS[shell];
}

/**
 * Completes the last of the words that follow `dart-eval`.
 *
 * @param define  builds the program with the called command defined
 * @returns       whole words; empty where only file names are possible
 */
export async function completions(
  words: readonly string[],
  define: (argv: readonly string[]) => Promise<Command>,
): Promise<readonly string[]> {
  const current = words.at(-1) ?? "";
  const before = words.slice(0, -1);
  let command = await define(before);
  const path: string[] = [];
  for (const word of before) {
    const next = command.commands.find((one) => one.name() === word);
    if (next === undefined) continue;
    command = next;
    path.push(word);
  }
  return wordsAt(command, path.join(" "), before, current).filter((word) => word.startsWith(current));
}

function wordsAt(
  command: Command,
  path: string,
  before: readonly string[],
  current: string,
): readonly string[] {
  const at = before.findLastIndex((word) => word.startsWith("-"));
  const option = command.options.find(({ long, short }) => before[at] === long || before[at] === short);
  if (option !== undefined && !option.isBoolean() && (option.variadic || at === before.length - 1)) {
    if (!current.startsWith("-")) return valuesOf(option);
  }
  if (current.startsWith("-"))
    return command
      .createHelp()
      .visibleOptions(command)
      .flatMap(({ long }) => long ?? []);
  if (command.commands.length > 0) {
    return command
      .createHelp()
      .visibleCommands(command)
      .map((one) => one.name());
  }
  return ARGUMENTS[path]?.() ?? [];
}

const valuesOf = ({ long, argChoices }: Option): readonly string[] =>
  argChoices ?? VALUES[long ?? ""]?.() ?? [];

const names = (forms: readonly { readonly name: string }[]) => forms.map(({ name }) => name);

const suiteNames = () => ["dart-eval", "mini"];

/** Values of options without a list of choices. */
const VALUES: Readonly<Record<string, () => readonly string[]>> = {
  "--task": () => names(TASKS),
  "--setting": () => names(SETTINGS),
  "--suite": suiteNames,
  "--model": modelNames,
};

/** Arguments by command. */
const ARGUMENTS: Readonly<Record<string, () => readonly string[]>> = {
  completion: () => SHELLS,
  profile: modelNames,
  suites: suiteNames,
  "data fetch": () => names(SOURCES),
  "models conform": modelNames,
  "models fetch": () => modelNames().filter((name) => name.includes("/")),
  "models init": () => names(LANGUAGE_MODELS),
};

const SCRIPTS = {
  // Bash splits words at : and =, and replaces only the part behind them.
  bash: `_dart_eval() {
  local line=\${COMP_LINE:0:COMP_POINT} IFS=$' \\t' words word
  read -ra words <<< "$line"
  [[ $line == *[[:space:]] ]] && words+=("")
  word=\${words[\${#words[@]}-1]}
  local kept=\${word%"\${word##*[:=]}"}
  IFS=$'\\n'
  COMPREPLY=($(dart-eval ${COMPLETE} "\${words[@]:1}" 2>/dev/null))
  COMPREPLY=("\${COMPREPLY[@]#"$kept"}")
}
complete -o default -F _dart_eval dart-eval`,
  zsh: `#compdef dart-eval
_dart_eval() {
  local -a found
  found=("\${(@f)$(dart-eval ${COMPLETE} "\${(@)words[2,CURRENT]}" 2>/dev/null)}")
  if [[ -n $found[1] ]]; then compadd -a found; else _files; fi
}
compdef _dart_eval dart-eval`,
  // -f hides file names, which are listed where there is no other completion.
  fish: `function __dart_eval
  set -l found (dart-eval ${COMPLETE} (commandline -opc)[2..-1] (commandline -ct) 2>/dev/null)
  if test (count $found) -gt 0
    printf '%s\\n' $found
  else
    __fish_complete_path (commandline -ct)
  end
end
complete -c dart-eval -f -a '(__dart_eval)'`,
};
