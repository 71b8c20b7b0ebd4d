/** Exit codes of shells: 128 + signal number. */
const CODES = { SIGHUP: 129, SIGINT: 130, SIGTERM: 143 } as const;
type StopSignal = keyof typeof CODES;

/** Time until a message explains that the command still finishes a step. */
const LONG_STEP_MS = 3000;

/** Reason of an aborted command: the user or a scheduler stopped it. */
export class Interrupted extends Error {
  readonly exitCode: number;

  constructor(signal: StopSignal) {
    super(`stopped by ${signal}`);
    this.name = "Interrupted";
    this.exitCode = CODES[signal];
  }
}

/**
 * Runs `work` with a signal that aborts on the first SIGINT (Ctrl-C), SIGTERM or SIGHUP (a closed terminal):
 * the work finishes its current batch and leaves complete files, with a message if that takes long. A second
 * one ends the process at once.
 */
export async function interruptible<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const controller = new AbortController();
  let waiting: NodeJS.Timeout | undefined;
  const stop = (name: StopSignal) => {
    if (controller.signal.aborted) {
      // Show the cursor, which a progress bar hides.
      if (process.stderr.isTTY) process.stderr.write("\x1b[?25h\n");
      process.exit(CODES[name]);
    }
    controller.abort(new Interrupted(name));
    waiting = setTimeout(() => {
      process.stderr.write("stopping after the current step; a second signal (Ctrl-C) ends it at once\n");
    }, LONG_STEP_MS).unref();
  };
  const signals = Object.keys(CODES) as StopSignal[];
  for (const name of signals) process.on(name, stop);
  try {
    return await work(controller.signal);
  } finally {
    clearTimeout(waiting);
    for (const name of signals) process.off(name, stop);
  }
}
