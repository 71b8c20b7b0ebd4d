import { Command, type Option } from "commander";
import { InputError } from "../base/errors.ts";
import { isSameFile } from "../base/folder.ts";
import { version } from "../base/package.ts";
import { COMPLETE, type Context, type DefineCommand, OutputFileOption, shellWord } from "./command.ts";
import { failureOf } from "./failure.ts";
import type { Terminal } from "./terminal.ts";

interface CommandEntry {
  readonly summary: string;
  readonly load: () => Promise<DefineCommand>;
}

/** Every command by the group of `--help`, with its summary and the file that is loaded when it is called. */
const COMMANDS: Readonly<Record<string, Readonly<Record<string, CommandEntry>>>> = {
  Start: {
    demo: {
      summary: "run everything on a small synthetic genome, in a minute or two",
      load: async () => (await import("./commands/demo.ts")).defineDemo,
    },
    tasks: {
      summary: "list the tasks, their settings and inputs",
      load: async () => (await import("./commands/tasks.ts")).defineTasks,
    },
    models: {
      summary: "list, create, fetch and verify checkpoints, test adapters",
      load: async () => (await import("./commands/models.ts")).defineModels,
    },
    suites: {
      summary: "list the suites, or print one to edit",
      load: async () => (await import("./commands/suites.ts")).defineSuites,
    },
    published: {
      summary: "list the values that the benchmark's authors published",
      load: async () => (await import("./commands/published.ts")).definePublished,
    },
  },
  Data: {
    data: {
      summary: "fetch, verify and transfer the benchmark's files",
      load: async () => (await import("./commands/data.ts")).defineData,
    },
    build: {
      summary: "build a task's table from public files",
      load: async () => (await import("./commands/build.ts")).defineBuild,
    },
    check: {
      summary: "check a table of variants for errors before scoring",
      load: async () => (await import("./commands/check.ts")).defineCheck,
    },
    variants: {
      summary: "convert scores between variant tables and runs",
      load: async () => (await import("./commands/variants.ts")).defineVariants,
    },
  },
  Runs: {
    run: {
      summary: "evaluate models on a task or a suite",
      load: async () => (await import("./commands/run.ts")).defineRun,
    },
    status: {
      summary: "show the progress of a run on all its machines",
      load: async () => (await import("./commands/status.ts")).defineStatus,
    },
    view: {
      summary: "serve the report of a run to a browser while it runs",
      load: async () => (await import("./commands/view.ts")).defineView,
    },
    merge: {
      summary: "merge the shards of a run and compute its metrics",
      load: async () => (await import("./commands/merge.ts")).defineMerge,
    },
  },
  Results: {
    report: {
      summary: "write results as an HTML page or as tables",
      load: async () => (await import("./commands/report.ts")).defineReport,
    },
    compare: {
      summary: "compare models: differences, tests, tie groups",
      load: async () => (await import("./commands/compare.ts")).defineCompare,
    },
    strata: {
      summary: "split results by properties of rows: GC content, distance to genes, classes",
      load: async () => (await import("./commands/strata.ts")).defineStrata,
    },
    export: {
      summary: "write rows, scores, metrics, tables and figures for pandas, R or a paper",
      load: async () => (await import("./commands/export.ts")).defineExport,
    },
    query: {
      summary: "run SQL over the rows, scores and metrics of runs",
      load: async () => (await import("./commands/query.ts")).defineQuery,
    },
    verify: {
      summary: "recompute metrics from stored scores and list differences",
      load: async () => (await import("./commands/verify.ts")).defineVerify,
    },
    leaderboard: {
      summary: "add results to a leaderboard: static files to commit and host",
      load: async () => (await import("./commands/leaderboard.ts")).defineLeaderboard,
    },
  },
  Networks: {
    chrombpnet: {
      summary: "train ChromBPNet on your own signal, and predict with it",
      load: async () => (await import("./commands/chrombpnet.ts")).defineChrombpnet,
    },
    profile: {
      summary: "measure a model's speed and memory, forward and backward",
      load: async () => (await import("./commands/profile.ts")).defineProfile,
    },
  },
  "This machine": {
    doctor: {
      summary: "show the machine's devices and verify its results",
      load: async () => (await import("./commands/doctor.ts")).defineDoctor,
    },
    install: {
      summary: "download libraries for a device",
      load: async () => (await import("./commands/install.ts")).defineInstall,
    },
    cache: {
      summary: "list and prune caches",
      load: async () => (await import("./commands/cache.ts")).defineCache,
    },
    completion: {
      summary: "print a completion script for bash, zsh or fish",
      load: async () => (await import("./commands/completion.ts")).defineCompletion,
    },
  },
};

/**
 * Runs one command line and returns its exit code; never throws.
 * @param argv  words after the program's name
 * @param jobs  of a command that runs in several processes: the job that this one is, and the start of others
 */
export async function dispatch(
  argv: readonly string[],
  terminal: Terminal,
  stopped: AbortSignal,
  { job, startJob }: Pick<Context, "job" | "startJob"> = {},
): Promise<number> {
  const signal = job === undefined ? stopped : AbortSignal.any([stopped, job.stopped]);
  const commandLine = ["dart-eval", ...argv].map((word) => shellWord(word)).join(" ");
  const context: Context = { terminal, signal, commandLine, job, startJob, resume: undefined, exitCode: 0 };
  try {
    if (argv[0] === COMPLETE) {
      const { completions } = await import("./commands/completion.ts");
      const found = await completions(argv.slice(1), (words) => programFor(words, context));
      if (found.length > 0) terminal.print(found.join("\n"));
      return 0;
    }
    const words = helpOfUnknown(argv) ? argv.slice(1) : argv;
    const program = await programFor(words, context);
    await program.parseAsync(words, { from: "user" });
    return context.exitCode;
  } catch (error) {
    const failure = failureOf(stoppedBy(signal, error) ? signal.reason : error, {
      resume: context.resume,
      verbose: argv.includes("--verbose"),
    });
    if (failure.text !== "") terminal.say(failure.text);
    return failure.exitCode;
  }
}

/** Description of an option with its choices and default: `(choices: cpu, cuda; default: cpu)`. */
function optionDescription(option: Option): string {
  const { description, mandatory, argChoices, defaultValue, defaultValueDescription } = option;
  const isShown = !option.isBoolean() && defaultValue !== undefined && !isEmptyList(defaultValue);
  const facts = [
    ...(mandatory ? ["required"] : []),
    ...(argChoices === undefined ? [] : [`choices: ${argChoices.join(", ")}`]),
    ...(isShown ? [`default: ${defaultValueDescription ?? String(defaultValue)}`] : []),
  ];
  return facts.length === 0 ? description : `${description} (${facts.join("; ")})`;
}

const isEmptyList = (value: unknown): boolean => Array.isArray(value) && value.length === 0;

/** True for `help NAME` of an unknown command, which Commander would answer with the help of the program. */
const helpOfUnknown = ([word, name]: readonly string[]) =>
  word === "help" &&
  name !== undefined &&
  /^\w/.test(name) &&
  name !== "help" &&
  !Object.values(COMMANDS).some((group) => Object.hasOwn(group, name));

/** @throws {InputError} for an empty argument or option, as an unset variable of a shell gives it */
function expectNoneEmpty(command: Command): void {
  const isEmpty = (value: unknown) => value === "" || (Array.isArray(value) && value.includes(""));
  const option = command.options.find(
    (each) =>
      command.getOptionValueSource(each.attributeName()) === "cli" &&
      isEmpty(command.getOptionValue(each.attributeName())),
  );
  const argument = command.registeredArguments.find((_, i) => isEmpty(command.processedArgs[i]));
  const name = option?.long ?? (argument === undefined ? undefined : `<${argument.name()}>`);
  if (name === undefined) return;
  throw new InputError(`${name} is empty`, { hint: "is a variable of the shell not set?" });
}

/** @throws {InputError} when an output file is also an input */
async function refuseInputAsOutput(command: Command): Promise<void> {
  const valueOfOption = (option: Option): unknown => command.getOptionValue(option.attributeName());
  const isOutput = (option: Option) => option instanceof OutputFileOption;
  const others = command.options.filter((option) => !isOutput(option));
  const inputs = [command.processedArgs, ...others.map(valueOfOption)]
    .flat(2)
    .filter((value) => typeof value === "string")
    // An input of a task is NAME=FILE.
    .map((value) => value.replace(/^[\w-]+=/, ""));
  for (const option of command.options.filter(isOutput)) {
    const out = valueOfOption(option);
    if (typeof out !== "string") continue;
    for (const input of inputs) {
      if (!(await isSameFile(out, input))) continue;
      throw new InputError(`${option.long} is an input file, which would be overwritten`, {
        place: { file: input },
        hint: "give another output file",
      });
    }
  }
}

/** True if an error only reports the interruption. */
function stoppedBy(signal: AbortSignal, error: unknown): boolean {
  if (!signal.aborted) return false;
  return error === signal.reason || (error instanceof Error && error.name === "AbortError");
}

const HELP = ["help [command]", "print the help of a command"] as const;

/** Builds the program: the called command with its options, the others by name and summary. */
async function programFor(argv: readonly string[], context: Context): Promise<Command> {
  const { terminal } = context;
  const line = (text: string) => text.replace(/\n$/, "");
  const program = new Command("dart-eval")
    .description("Evaluates DNA language models on regulatory DNA: the DART-Eval benchmark.")
    .version(version, "-V, --version", "print the version")
    .option("--verbose", "print the stack of an error, after any command")
    .helpOption("-h, --help", "print this help")
    .commandsGroup("Start:")
    .helpCommand(...HELP)
    .showHelpAfterError("Try dart-eval --help.")
    .exitOverride()
    .configureHelp({ optionDescription })
    .configureOutput({
      writeOut: (text) => terminal.print(line(text)),
      writeErr: (text) => terminal.say(line(text)),
      getErrHelpWidth: () => 100,
      getOutHelpWidth: () => 100,
    });
  program.hook("preAction", async (_, command) => {
    expectNoneEmpty(command);
    await refuseInputAsOutput(command);
  });
  const called = argv[0] === "help" ? argv[1] : argv.find((word) => !word.startsWith("-"));
  for (const [group, entries] of Object.entries(COMMANDS)) {
    for (const [name, entry] of Object.entries(entries)) {
      const command = program.command(name).summary(entry.summary).helpGroup(`${group}:`);
      command.showHelpAfterError(`Try dart-eval ${name} --help.`);
      if (name !== called) continue;
      const define = await entry.load();
      define(command, context);
      // Without this, its help is in the first group of the program's.
      if (command.commands.length > 0) command.helpCommand(...HELP);
      for (const part of command.commands) {
        part.showHelpAfterError(`Try dart-eval ${name} ${part.name()} --help.`);
      }
    }
  }
  return program;
}
