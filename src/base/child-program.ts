import { type ChildProcess, spawnSync } from "node:child_process";
import { setTimeout as pause } from "node:timers/promises";
import spawn from "cross-spawn";
import { errorCode, InternalError } from "./errors.ts";
import { NO_TELEMETRY } from "./process.ts";

/** How a program ended. */
export type ProgramExit =
  | { readonly how: "code"; readonly code: number }
  | { readonly how: "signal"; readonly signal: string }
  /** It could not be started at all. */
  | { readonly how: "not started"; readonly error: Error }
  /** It was killed because a line of its output was longer than allowed. */
  | { readonly how: "too long"; readonly bytes: number };

/** A program of ours or a stranger's, to which lines are written and from which lines are read. */
export interface ChildProgram {
  /** Writes a line to its standard input. What is written to a program that has ended is lost: `nextLine` tells. */
  writeLine(text: string): void;
  /**
   * The next line of its standard output, without its end; or how the program ended, once every line was given.
   * One caller at a time.
   */
  nextLine(): Promise<string | ProgramExit>;
  /**
   * Closes its standard input, by which it knows that no more will come, and waits until it has ended; after
   * `patienceMs` it is told to end, and soon after that made to.
   */
  stop(patienceMs?: number): Promise<void>;
}

export interface ChildProgramOptions {
  /** Most bytes of one line; a program that writes a longer one is killed. */
  readonly longestLine: number;
}

/** Between being told to end and being made to. */
const LAST_CHANCE_MS = 2000;
/** Output that a program's own children hold open is waited for no longer. */
const AFTER_EXIT_MS = 1000;
/** Lines that nobody has asked for yet; with more, the program has to wait. */
const MOST_LINES = 64;

/** Programs to be killed when this process exits. */
const running = new Set<ChildProcess>();
let watching = false;

/**
 * Starts a program without a shell; on Windows a `.cmd` or `.bat` launcher, such as those of conda and npx, is a program too.
 * Its standard error is ours, so its messages are seen at once.
 *
 * It ends with this process: its standard input closes when this process is gone, however that came about, and when this
 * process exits it is killed. It has a process group of its own, so that Ctrl-C reaches this process alone, which may then
 * finish what it is at; and it keeps this process running only while it is waited for.
 *
 * @param words  the program and its arguments
 */
export function startProgram(
  [program, ...words]: readonly [string, ...string[]],
  { longestLine }: ChildProgramOptions,
): ChildProgram {
  const child = spawn(program, words, {
    stdio: ["pipe", "pipe", "inherit"],
    detached: process.platform !== "win32",
    windowsHide: true,
    env: { ...process.env, ...NO_TELEMETRY },
  });
  const { stdin, stdout } = child;
  if (stdin === null || stdout === null) throw new InternalError("a program was started without pipes");
  const lines = new LineQueue(longestLine);
  let settle!: (ending: ProgramExit) => void;
  const ended = new Promise<ProgramExit>((resolve) => {
    settle = resolve;
  });
  running.add(child);
  if (!watching) process.on("exit", killRunning);
  watching = true;

  stdout.on("data", (chunk: Buffer) => {
    if (lines.add(chunk)) {
      if (lines.length >= MOST_LINES) stdout.pause();
      return;
    }
    settle({ how: "too long", bytes: longestLine });
    kill(child, "SIGKILL");
  });
  // A program that has ended reads no more; how it ended is told by its ending.
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

  // Idle, it must not keep this process from ending.
  const holds = [child, stdin, stdout] as unknown as { ref(): void; unref(): void }[];
  for (const each of holds) each.unref();

  return {
    writeLine: (text) => void (stdin.writable && stdin.write(`${text}\n`)),
    async nextLine() {
      for (const each of holds) each.ref();
      stdout.resume();
      try {
        return await lines.next();
      } finally {
        for (const each of holds) each.unref();
      }
    },
    async stop(patienceMs = 5000) {
      for (const each of holds) each.ref();
      stdin.end();
      for (const [ms, signal] of [
        [patienceMs, "SIGTERM"],
        [LAST_CHANCE_MS, "SIGKILL"],
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

/** Ends the program and what it started: a process group, or on Windows, which has none, the tree of its processes. */
function kill(child: ChildProcess, signal: "SIGTERM" | "SIGKILL"): void {
  if (child.pid === undefined) return;
  try {
    if (process.platform === "win32") {
      // Windows has no SIGTERM: without /F a console program is not ended at all.
      spawnSync("taskkill", ["/PID", String(child.pid), "/T", "/F"], { stdio: "ignore", windowsHide: true });
    } else process.kill(-child.pid, signal);
  } catch (error) {
    // It was gone before.
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

/** Chunks in, lines out; a line may be as long as hundreds of chunks. */
class LineQueue {
  private readonly lines: string[] = [];
  private rest: Buffer[] = [];
  private restBytes = 0;
  private ending: ProgramExit | undefined;
  private waiting: ((line: string | ProgramExit) => void) | undefined;
  private readonly longestLine: number;

  constructor(longestLine: number) {
    this.longestLine = longestLine;
  }

  /** Lines not asked for yet. */
  get length(): number {
    return this.lines.length;
  }

  /** False when a line has become too long. */
  add(chunk: Buffer): boolean {
    let start = 0;
    for (let end = chunk.indexOf(10); end !== -1; end = chunk.indexOf(10, start)) {
      const line = Buffer.concat([...this.rest, chunk.subarray(start, end)]);
      this.rest = [];
      this.restBytes = 0;
      start = end + 1;
      if (line.length > this.longestLine) return false;
      this.give(line.toString("utf8").replace(/\r$/, ""));
    }
    this.rest.push(chunk.subarray(start));
    this.restBytes += chunk.length - start;
    return this.restBytes <= this.longestLine;
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
