import type { Command } from "commander";
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
