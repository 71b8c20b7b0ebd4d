import { type Command, InvalidArgumentError } from "commander";
import type { Terminal } from "./terminal.ts";

export interface Context {
  readonly terminal: Terminal;
  /** Aborts when the user asks to stop. */
  readonly signal: AbortSignal;
  /** What to say after an interruption; a command that keeps its work sets it before it starts. */
  resume: string | undefined;
  /** What the process ends with when nothing is thrown; 0 unless a command found something wrong. */
  exitCode: number;
}

/** What a file of `commands/` exports: it gives the command its options, its help and its action. */
export type DefineCommand = (command: Command, context: Context) => void;

/** Examples below a command's help: what it does, then the line to type. */
export function examples(lines: Readonly<Record<string, string>>): string {
  const rows = Object.entries(lines).map(([what, line]) => `  # ${what}\n  $ ${line}`);
  return `\nExamples:\n${rows.join("\n\n")}\n`;
}

/**
 * Reads an option's value: a whole number of at least `least`, written in digits. What it throws, commander prints with
 * the option's name and the text that came.
 */
export function wholeNumberOption(least: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!/^\d+$/.test(text) || !Number.isSafeInteger(value) || value < least) {
      throw new InvalidArgumentError(`Expected a whole number, ${least} or more.`);
    }
    return value;
  };
}

/** The option that every command of `data` has. */
export function dataFolderOption(command: Command): Command {
  return command.option(
    "--data <folder>",
    "the data folder, in the layout of the benchmark's work directory",
    process.env.DART_WORK_DIR || "dart-eval-data",
  );
}

const PLAIN = /^[\p{L}\p{N}_./:=@%+,~-]+$/u;
const PLAIN_ON_WINDOWS = /^[\p{L}\p{N}_./\\:=@+,~-]+$/u;

/**
 * A word as a person types it into a shell: unchanged where it has none of the shell's own characters, else in quotes. Single
 * quotes for POSIX shells; double quotes on Windows, which cmd and PowerShell both take and no file name contains.
 */
export function shellWord(text: string, platform: NodeJS.Platform = process.platform): string {
  if (platform === "win32") return PLAIN_ON_WINDOWS.test(text) ? text : `"${text}"`;
  if (PLAIN.test(text) && !text.startsWith("~")) return text;
  return `'${text.replaceAll("'", "'\\''")}'`;
}
