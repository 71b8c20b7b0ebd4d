#!/usr/bin/env node

import { fileError } from "../base/errors.ts";
import { keysOf } from "../base/record.ts";
import { dispatch } from "./dispatch.ts";
import { EXIT_CODES, failureOf, Interrupted, type StopSignal } from "./failure.ts";
import { jobOfThisProcess } from "./job.ts";
import { processTerminal } from "./terminal.ts";

/** Time until a message explains that the command still finishes a step. */
const LONG_STEP_MS = 3000;

// A closed pipe, such as `| head`, is not an error.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code === "EPIPE") process.exit(0);
  const failure = failureOf(fileError("standard output", error));
  process.stderr.write(`${failure.text}\n`);
  process.exit(failure.exitCode);
});
// A run continues after its terminal is closed.
process.stderr.on("error", () => {});

using job = jobOfThisProcess();
process.exitCode = await interruptible((signal) =>
  dispatch(process.argv.slice(2), job?.terminal ?? processTerminal(), signal, { job }),
);

/**
 * Runs `work` with a signal that aborts on the first SIGINT (Ctrl-C), SIGTERM or SIGHUP (a closed terminal):
 * the work finishes its current batch and leaves complete files, with a message if that takes long. A second
 * one ends the process at once.
 */
async function interruptible<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const controller = new AbortController();
  let waiting: NodeJS.Timeout | undefined;
  const stop = (name: StopSignal) => {
    if (controller.signal.aborted) {
      // Show the cursor, which a progress bar hides.
      if (process.stderr.isTTY) process.stderr.write("\x1b[?25h\n");
      process.exit(EXIT_CODES[name]);
    }
    controller.abort(new Interrupted(name));
    waiting = setTimeout(() => {
      process.stderr.write("stopping after the current step; a second signal (Ctrl-C) ends it at once\n");
    }, LONG_STEP_MS).unref();
  };
  const signals = keysOf(EXIT_CODES);
  for (const name of signals) process.on(name, stop);
  try {
    return await work(controller.signal);
  } finally {
    clearTimeout(waiting);
    for (const name of signals) process.off(name, stop);
  }
}
