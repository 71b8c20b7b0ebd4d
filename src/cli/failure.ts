import { CommanderError } from "commander";
import { DiskUnavailable, InputError } from "../base/errors.ts";
import { LockHeld, LockLost } from "../base/file-lock.ts";
import { GraphError } from "../net/graph/graph-error.ts";

export interface Failure {
  /** Text for stderr; empty if already printed. */
  readonly text: string;
  readonly exitCode: number;
}

/** `EX_SOFTWARE` of sysexits: a bug. */
const EXIT_INTERNAL_ERROR = 70;
/** `EX_TEMPFAIL` of sysexits: another process holds the lock, or a disk is away; a scheduler may retry. */
const EXIT_LATER = 75;

/** Exit codes of shells: 128 + signal number. */
export const EXIT_CODES = { SIGHUP: 129, SIGINT: 130, SIGTERM: 143 } as const;
export type StopSignal = keyof typeof EXIT_CODES;

/** Reason of an aborted command: the user or a scheduler stopped it. */
export class Interrupted extends Error {
  readonly exitCode: number;

  constructor(signal: StopSignal) {
    super(`stopped by ${signal}`);
    this.name = "Interrupted";
    this.exitCode = EXIT_CODES[signal];
  }
}

/** A job ended with an error, which it has printed. */
export class JobFailed extends Error {
  readonly exitCode: number;

  constructor(exitCode: number) {
    super(`a job ended with exit code ${exitCode}`);
    this.name = "JobFailed";
    this.exitCode = exitCode;
  }
}

/**
 * Message and exit code of an error: 2 for user errors (without a stack), 129, 130 or 143 after an
 * interruption, 75 when another process holds a lock or a disk does not respond, 70 for a bug (with its
 * stack).
 *
 * @param resume   hint after an interruption, one sentence
 * @param verbose  print the stack of a user error too
 */
export function failureOf(
  error: unknown,
  { resume, verbose = false }: { resume?: string | undefined; verbose?: boolean } = {},
): Failure {
  if (error instanceof CommanderError) return { text: "", exitCode: error.exitCode === 0 ? 0 : 2 };
  if (error instanceof JobFailed) return { text: "", exitCode: error.exitCode };
  if (error instanceof Interrupted) {
    return { text: ["stopped.", resume].filter(Boolean).join(" "), exitCode: error.exitCode };
  }
  // Graphs of the commands are the package's own.
  if (error instanceof InputError && !(error instanceof GraphError)) {
    const isTemporary = [LockHeld, LockLost, DiskUnavailable].some((kind) => error instanceof kind);
    const text = `error: ${error.describe()}${verbose ? `\n\n${stackOf(error)}` : ""}`;
    return { text, exitCode: isTemporary ? EXIT_LATER : 2 };
  }
  return {
    text: `${stackOf(error)}\n\nThis is a bug in dart-eval or in a custom model, not an error in your input. Please report it with the lines above.`,
    exitCode: EXIT_INTERNAL_ERROR,
  };
}

function stackOf(error: unknown): string {
  if (!(error instanceof Error)) return `internal: a value that is not an Error was thrown: ${String(error)}`;
  const cause = error.cause === undefined ? "" : `\n  caused by: ${stackOf(error.cause)}`;
  return `${error.stack ?? error.message}${cause}`;
}
