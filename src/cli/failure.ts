import { CommanderError } from "commander";
import { InputError } from "../base/errors.ts";
import { LockHeld, LockLost } from "../base/file-lock.ts";
import { Interrupted } from "./interrupt.ts";

export interface Failure {
  /** What to say on stderr; empty when it was said already. */
  readonly text: string;
  readonly exitCode: number;
}

/** `EX_SOFTWARE` of sysexits: the fault is ours. */
const EXIT_INTERNAL_ERROR = 70;
/** `EX_TEMPFAIL` of sysexits: another process works on the same; a scheduler may try again later. */
const EXIT_BUSY = 75;

/**
 * Why a command failed, in words, and the exit code: 2 for something the user can mend (no stack), 130 or 143 when
 * stopped, 75 when another process holds what is needed, 70 for a bug of ours (with its stack, to be reported).
 *
 * @param resume   what to do after an interruption, one sentence
 * @param verbose  print the stack below an input error too
 */
export function failureOf(
  error: unknown,
  { resume, verbose = false }: { resume?: string | undefined; verbose?: boolean } = {},
): Failure {
  if (error instanceof CommanderError) return { text: "", exitCode: error.exitCode === 0 ? 0 : 2 };
  if (error instanceof Interrupted) {
    return { text: ["stopped.", resume].filter(Boolean).join(" "), exitCode: error.exitCode };
  }
  if (error instanceof InputError) {
    const isBusy = error instanceof LockHeld || error instanceof LockLost;
    const text = `error: ${error.describe()}${verbose ? `\n\n${stackOf(error)}` : ""}`;
    return { text, exitCode: isBusy ? EXIT_BUSY : 2 };
  }
  return {
    text: `${stackOf(error)}\n\nThis is a fault of the program, not of your input. Unless it lies in a model of your own, please report it with the lines above.`,
    exitCode: EXIT_INTERNAL_ERROR,
  };
}

function stackOf(error: unknown): string {
  if (!(error instanceof Error)) return `internal: a value that is no error was thrown: ${String(error)}`;
  const cause = error.cause === undefined ? "" : `\n  caused by: ${stackOf(error.cause)}`;
  return `${error.stack ?? error.message}${cause}`;
}
