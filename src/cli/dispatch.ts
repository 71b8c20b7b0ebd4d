import { Command } from "commander";
import { version } from "../base/package.ts";
import type { Context, DefineCommand } from "./command.ts";
import { failureOf } from "./failure.ts";
import type { Terminal } from "./terminal.ts";

interface CommandEntry {
  readonly summary: string;
  readonly load: () => Promise<{ readonly define: DefineCommand }>;
}

/** Every command: what the overview says of it, and the file that is loaded when it is called. */
const COMMANDS: Readonly<Record<string, CommandEntry>> = {
  demo: {
    summary: "see the whole road on a small synthetic genome, in a minute",
    load: () => import("./commands/demo.ts"),
  },
  data: {
    summary: "fetch the benchmark's files, check them, carry them to another machine",
    load: () => import("./commands/data.ts"),
  },
  build: {
    summary: "make a task's table from public files",
    load: () => import("./commands/build.ts"),
  },
  check: {
    summary: "look for faults of a table, before anything is scored",
    load: () => import("./commands/check.ts"),
  },
  variants: {
    summary: "carry scores between tables of variants and runs",
    load: () => import("./commands/variants.ts"),
  },
  run: {
    summary: "ask models a task's question, and keep the answers",
    load: () => import("./commands/run.ts"),
  },
  merge: {
    summary: "put the shards of a run together",
    load: () => import("./commands/merge.ts"),
  },
  report: {
    summary: "write results as one page, or as tables",
    load: () => import("./commands/report.ts"),
  },
  published: {
    summary: "list the numbers that the benchmark's authors printed",
    load: () => import("./commands/published.ts"),
  },
  models: {
    summary: "list models, make, fetch and verify checkpoints, test adapters",
    load: () => import("./commands/models.ts"),
  },
  chrombpnet: {
    summary: "train ChromBPNet on a signal of yours, and predict with it",
    load: () => import("./commands/chrombpnet.ts"),
  },
  tasks: {
    summary: "list what can be asked",
    load: () => import("./commands/tasks.ts"),
  },
  suites: {
    summary: "list what can be asked at once, and print a suite to change it",
    load: () => import("./commands/suites.ts"),
  },
  cache: {
    summary: "list what is kept to save time, and remove what was not used for long",
    load: () => import("./commands/cache.ts"),
  },
  profile: {
    summary: "time a model forward and backward, with its memory",
    load: () => import("./commands/profile.ts"),
  },
  doctor: {
    summary: "say what this machine has, and check that it computes right",
    load: () => import("./commands/doctor.ts"),
  },
};

/** Runs one command line. `argv` is what follows the program's name. Never throws: gives the exit code. */
export async function dispatch(
  argv: readonly string[],
  terminal: Terminal,
  signal: AbortSignal,
): Promise<number> {
  const context: Context = { terminal, signal, resume: undefined, exitCode: 0 };
  try {
    const program = await programFor(argv, context);
    await program.parseAsync(argv, { from: "user" });
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

/** Whether an error is only how some library said that it was asked to stop. */
function stoppedBy(signal: AbortSignal, error: unknown): boolean {
  if (!signal.aborted) return false;
  return error === signal.reason || (error instanceof Error && error.name === "AbortError");
}

/** The program with the one command that is called defined in full, the others by name and summary. */
async function programFor(argv: readonly string[], context: Context): Promise<Command> {
  const { terminal } = context;
  const line = (text: string) => text.replace(/\n$/, "");
  const program = new Command("dart-eval")
    .description("Evaluates DNA language models on regulatory DNA.")
    .version(version, "-V, --version", "print the version")
    .option("--verbose", "print the stack of an error, after any command")
    .helpOption("-h, --help", "print this help")
    .helpCommand("help [command]", "print the help of a command")
    .showHelpAfterError("Try dart-eval --help.")
    .exitOverride()
    .configureOutput({
      writeOut: (text) => terminal.print(line(text)),
      writeErr: (text) => terminal.say(line(text)),
      getErrHelpWidth: () => 100,
      getOutHelpWidth: () => 100,
    });
  const called = argv[0] === "help" ? argv[1] : argv.find((word) => !word.startsWith("-"));
  for (const [name, entry] of Object.entries(COMMANDS)) {
    const command = program.command(name).summary(entry.summary);
    command.showHelpAfterError(`Try dart-eval ${name} --help.`);
    if (name !== called) continue;
    (await entry.load()).define(command, context);
    for (const part of command.commands) {
      part.showHelpAfterError(`Try dart-eval ${name} ${part.name()} --help.`);
    }
  }
  return program;
}
