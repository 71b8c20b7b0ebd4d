/** Exit codes as shells expect them: 128 + the signal's number. */
const CODES = { SIGINT: 130, SIGTERM: 143 } as const;

/** The reason a command's signal carries once the user, or a scheduler, asked it to stop. */
export class Interrupted extends Error {
  readonly exitCode: number;

  constructor(signal: keyof typeof CODES) {
    super(`stopped by ${signal}`);
    this.name = "Interrupted";
    this.exitCode = CODES[signal];
  }
}

/**
 * Runs `work` with a signal that aborts on the first SIGINT (Ctrl-C) or SIGTERM, so that it can finish the batch under
 * way and leave whole files. A second one ends the process at once.
 */
export async function interruptible<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const controller = new AbortController();
  const stop = (name: keyof typeof CODES) => {
    if (controller.signal.aborted) {
      // A progress bar hides the cursor and may not come to show it again.
      if (process.stderr.isTTY) process.stderr.write("\x1b[?25h\n");
      process.exit(CODES[name]);
    }
    controller.abort(new Interrupted(name));
  };
  const onInt = () => stop("SIGINT");
  const onTerm = () => stop("SIGTERM");
  process.on("SIGINT", onInt).on("SIGTERM", onTerm);
  try {
    return await work(controller.signal);
  } finally {
    process.off("SIGINT", onInt).off("SIGTERM", onTerm);
  }
}
