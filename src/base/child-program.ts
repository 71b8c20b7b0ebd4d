import { type ChildProcess, spawnSync } from "node:child_process";
import { Socket } from "node:net";
import { setTimeout as pause } from "node:timers/promises";
import spawn from "cross-spawn";
import { errorCode, InternalError } from "./errors.ts";
import { NO_TELEMETRY } from "./process.ts";

/** Exit status of a child process. */
export type ProgramExit =
  | { readonly how: "code"; readonly code: number }
  | { readonly how: "signal"; readonly signal: string }
  /** The program could not be started. */
  | { readonly how: "not started"; readonly error: Error }
  /** The program was killed because a line of its output exceeded `maxLineLength`. */
  | { readonly how: "too long"; readonly bytes: number };

/** A child process that exchanges lines of text over its standard input and output. */
export interface ChildProgram {
  /**
   * Writes a line to standard input. After the program has ended the line is dropped; `nextLine` reports the
   * exit.
   */
  writeLine(text: string): void;
  /**
   * The next line of standard output without its line end, or the exit status after the last line.
   * One caller at a time.
   */
  nextLine(): Promise<string | ProgramExit>;
  /**
   * Closes standard input and waits for the program to exit: SIGTERM after `graceMs`, then SIGKILL.
   */
  stop(graceMs?: number): Promise<void>;
}

export interface ChildProgramOptions {
  /** Maximum bytes of one line; a program that writes a longer one is killed. */
  readonly maxLineLength: number;
  /** Variables in addition to those of this process. */
  readonly env?: Readonly<Record<string, string>>;
}

/** Time between SIGTERM and SIGKILL. */
const TERM_GRACE_MS = 2000;
/** Wait for output after the exit: a grandchild may keep the pipe open. */
const AFTER_EXIT_MS = 1000;
/** Unread lines at which reading from the program pauses. */
const MAX_BUFFERED_LINES = 64;

/** Children to kill when this process exits. */
const running = new Set<ChildProcess>();
let watching = false;

/**
 * Starts a program without a shell. On Windows `.cmd` and `.bat` launchers, such as those of conda and npx,
 * work too. The program inherits standard error.
 *
 * The program does not outlive this process: it is killed at exit, and its standard input closes if this
 * process is killed. It runs in its own process group, so Ctrl-C reaches only this process, which can finish
 * its current step. It keeps the event loop alive only during `nextLine` and `stop`.
 *
 * @param command  the program and its arguments
 */
export function startProgram(
  [program, ...args]: readonly [string, ...string[]],
  { maxLineLength, env }: ChildProgramOptions,
): ChildProgram {
  const child = spawn(program, args, {
    stdio: ["pipe", "pipe", "inherit"],
    detached: process.platform !== "win32",
    windowsHide: true,
    env: { ...process.env, ...env, ...NO_TELEMETRY },
  });
  const { stdin, stdout } = child;
  if (stdin === null || stdout === null) throw new InternalError("a program was started without pipes");
  const lines = new LineQueue(maxLineLength);
  let settle!: (ending: ProgramExit) => void;
  const ended = new Promise<ProgramExit>((resolve) => {
    settle = resolve;
  });
  running.add(child);
  if (!watching) process.on("exit", killRunning);
  watching = true;

  stdout.on("data", (chunk: Buffer) => {
    if (lines.add(chunk)) {
      if (lines.length >= MAX_BUFFERED_LINES) stdout.pause();
      return;
    }
    settle({ how: "too long", bytes: maxLineLength });
    kill(child, "SIGKILL");
  });
  // EPIPE after the program has ended: its exit status says why.
  stdin.on("error", () => {});
  child.on("error", (error) => settle({ how: "not started", error }));
  child.on("close", (code, signal) => settle(exitOf(code, signal)));
  child.on("exit", (code, signal) => {
    setTimeout(() => settle(exitOf(code, signal)), AFTER_EXIT_MS).unref();
  });
  ended.then((ending) => {
    running.delete(child);
    stdout.destroy();
    lines.close(ending);
  });

  // An idle child must not keep this process alive.
  const handles = [child, ...[stdin, stdout].filter((stream) => stream instanceof Socket)];
  for (const each of handles) each.unref();

  return {
    writeLine: (text) => void (stdin.writable && stdin.write(`${text}\n`)),
    async nextLine() {
      for (const each of handles) each.ref();
      stdout.resume();
      try {
        return await lines.next();
      } finally {
        for (const each of handles) each.unref();
      }
    },
    async stop(graceMs = 5000) {
      for (const each of handles) each.ref();
      stdin.end();
      for (const [ms, signal] of [
        [graceMs, "SIGTERM"],
        [TERM_GRACE_MS, "SIGKILL"],
      ] as const) {
        if (await endsWithin(ended, ms)) return;
        kill(child, signal);
      }
      await ended;
    },
  };
}

function exitOf(code: number | null, signal: NodeJS.Signals | null): ProgramExit {
  return signal === null ? { how: "code", code: code ?? 0 } : { how: "signal", signal };
}

function killRunning() {
  for (const child of running) kill(child, "SIGKILL");
}

/** Kills the program and its children: its process group, or on Windows its process tree. */
function kill(child: ChildProcess, signal: "SIGTERM" | "SIGKILL"): void {
  if (child.pid === undefined) return;
  try {
    if (process.platform === "win32") {
      // Windows has no SIGTERM: without /F taskkill does not end a console program.
      spawnSync("taskkill", ["/PID", String(child.pid), "/T", "/F"], { stdio: "ignore", windowsHide: true });
    } else process.kill(-child.pid, signal);
  } catch (error) {
    // ESRCH: it has already ended.
    if (errorCode(error) !== "ESRCH") throw error;
  }
}

async function endsWithin(ended: Promise<ProgramExit>, ms: number): Promise<boolean> {
  const timer = new AbortController();
  const late = pause(ms, false, { signal: timer.signal }).catch(() => false);
  const result = await Promise.race([ended.then(() => true), late]);
  timer.abort();
  return result;
}

/** Splits chunks into lines; a line may span hundreds of chunks. */
class LineQueue {
  private readonly lines: string[] = [];
  private rest: Buffer[] = [];
  private restBytes = 0;
  private ending: ProgramExit | undefined;
  private waiting: ((line: string | ProgramExit) => void) | undefined;
  private readonly maxLineLength: number;

  constructor(maxLineLength: number) {
    this.maxLineLength = maxLineLength;
  }

  /** Unread lines. */
  get length(): number {
    return this.lines.length;
  }

  /** False when a line exceeds `maxLineLength`. */
  add(chunk: Buffer): boolean {
    let start = 0;
    for (let end = chunk.indexOf(10); end !== -1; end = chunk.indexOf(10, start)) {
      const line = Buffer.concat([...this.rest, chunk.subarray(start, end)]);
      this.rest = [];
      this.restBytes = 0;
      start = end + 1;
      if (line.length > this.maxLineLength) return false;
      this.give(line.toString("utf8").replace(/\r$/, ""));
    }
    this.rest.push(chunk.subarray(start));
    this.restBytes += chunk.length - start;
    return this.restBytes <= this.maxLineLength;
  }

  close(ending: ProgramExit) {
    this.ending = ending;
    this.waiting?.(ending);
    this.waiting = undefined;
  }

  next(): Promise<string | ProgramExit> {
    const line = this.lines.shift() ?? this.ending;
    if (line !== undefined) return Promise.resolve(line);
    return new Promise((resolve) => {
      this.waiting = resolve;
    });
  }

  private give(line: string) {
    if (this.waiting === undefined) this.lines.push(line);
    else {
      this.waiting(line);
      this.waiting = undefined;
    }
  }
}
