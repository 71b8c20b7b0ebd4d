import { setTimeout as pause } from "node:timers/promises";
import { type ProgramExit, startProgram } from "../base/child-program.ts";
import { InputError } from "../base/errors.ts";
import type { Device } from "../net/runtime/device.ts";
import type { Context } from "./command.ts";

/** Exit code of a process that another one holds up, such as by a training run that both need. */
const HELD = 75;
/** Pause before such a process is started again. */
const RETRY_MS = 10_000;
const MAX_LINE_LENGTH = 2 ** 20;

/** The program of this process, with its flags for Node. */
const thisProgram = (): readonly [string, ...string[]] => [
  process.execPath,
  ...process.execArgv,
  process.argv[1],
];

/**
 * Runs the shards of a run in one process per device, at the same time. Their lines of output are printed as
 * remarks, after the name of the device.
 *
 * @param words    options of the run, without device and shard
 * @param program  the command, and its pause before a process that was held up starts again
 * @throws {InputError} when a process fails; what the others finished remains, and the command resumes it
 * @throws the signal's reason when the user stopped it
 */
export async function runOnDevices(
  devices: readonly Device[],
  words: readonly string[],
  { terminal, signal }: Pick<Context, "terminal" | "signal">,
  { program = thisProgram(), retryMs = RETRY_MS } = {},
): Promise<void> {
  const failures = await Promise.all(
    devices.map(async (device, i) => {
      const shard = `${i + 1}/${devices.length}`;
      const all = [...program, "run", ...words, `--device=${device}`, `--shard=${shard}`] as const;
      for (;;) {
        const exit = await finished(all, device, { terminal, signal });
        signal.throwIfAborted();
        if (exit.how === "code" && exit.code === 0) return undefined;
        if (exit.how === "code" && exit.code === HELD) await pause(retryMs, undefined, { signal });
        else return `shard ${shard} on ${device} ${exitText(exit)}`;
      }
    }),
  );
  const [first] = failures.filter((failure) => failure !== undefined);
  if (first !== undefined) {
    throw new InputError(first, { hint: "its message is above; the same command resumes the run" });
  }
}

/** Runs one process to its end, or until the user stops it, and prints its lines. */
async function finished(
  words: readonly [string, ...string[]],
  device: Device,
  { terminal, signal }: Pick<Context, "terminal" | "signal">,
): Promise<ProgramExit> {
  // Bars of several processes on one terminal overwrite each other.
  const child = startProgram(words, { maxLineLength: MAX_LINE_LENGTH, env: { TERM: "dumb" } });
  const stop = () => void child.stop(0);
  signal.addEventListener("abort", stop);
  try {
    for (;;) {
      const line = await child.nextLine();
      if (typeof line !== "string") return line;
      terminal.say(`${device}: ${line}`);
    }
  } finally {
    signal.removeEventListener("abort", stop);
    if (signal.aborted) await child.stop(0);
  }
}

function exitText(exit: ProgramExit): string {
  if (exit.how === "code") return `failed with exit code ${exit.code}`;
  if (exit.how === "signal") return `was ended by ${exit.signal}`;
  return exit.how === "too long" ? "printed a line that is too long" : `did not start: ${exit.error.message}`;
}
