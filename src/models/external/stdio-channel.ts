import { setTimeout as pause } from "node:timers/promises";
import { type ChildProgram, type ProgramExit, startProgram } from "../../base/child-program.ts";
import { InputError } from "../../base/errors.ts";
import { retryPause } from "../../base/http.ts";
import {
  AdapterError,
  type AdapterRequest,
  type AdapterResponse,
  type Channel,
  type Handshake,
  MAX_RESPONSE_BYTES,
  type RequestLimits,
  readResponse,
  type SendRequest,
  SLOW_ADAPTER,
} from "./adapter-protocol.ts";

export interface StdioOptions {
  /** Consecutive restarts of a program that ended, before a request fails. */
  readonly restarts?: number;
  /** Pause before the first restart; it doubles each time. */
  readonly initialDelayMs?: number;
}

const NOT_JSON = "write only responses to standard output, anything else to standard error";

/** The program ended before it responded; it may be restarted. */
class AdapterEnded extends InputError {}

/**
 * Starts an adapter that reads requests from standard input and writes responses to standard output, one line
 * each. Its standard error is inherited. It is started without a shell, restarted when it ends, and stopped
 * by `close`.
 *
 * @param command  `python3 adapter.py --weights "my model"`
 * @throws {InputError} when it cannot be started, or the handshake fails
 */
export async function openStdioChannel(
  command: string,
  greet: Handshake,
  { restarts = 3, initialDelayMs = 500 }: StdioOptions = {},
): Promise<Channel> {
  const words = commandWords(command);
  const channel = new StdioChannel(words, command.trim(), greet, restarts, initialDelayMs);
  await channel.start();
  return channel;
}

class StdioChannel implements Channel {
  private readonly words: readonly [string, ...string[]];
  private readonly title: string;
  private readonly greet: Handshake;
  private readonly restarts: number;
  private readonly initialDelayMs: number;
  private program: ChildProgram | undefined;
  /** The request before: requests are sent one at a time. */
  private before: Promise<unknown> = Promise.resolve();
  private lastId = 0;
  /** Restarts since the last response. */
  private ends = 0;

  constructor(
    words: readonly [string, ...string[]],
    title: string,
    greet: Handshake,
    restarts: number,
    initialDelayMs: number,
  ) {
    this.words = words;
    this.title = title;
    this.greet = greet;
    this.restarts = restarts;
    this.initialDelayMs = initialDelayMs;
  }

  readonly ask: SendRequest = (request, limits) => {
    const response = this.before.then(() => this.exchangeWithRestarts(request, limits));
    this.before = response.catch(() => {});
    return response;
  };

  async start(): Promise<ChildProgram> {
    const program = startProgram(this.words, { maxLineLength: MAX_RESPONSE_BYTES });
    try {
      await this.greet((request, limits) => this.exchange(program, request, limits));
    } catch (error) {
      await program.stop(0);
      throw error;
    }
    this.program = program;
    return program;
  }

  async close(): Promise<void> {
    await this.program?.stop();
    this.program = undefined;
  }

  private async exchangeWithRestarts(request: AdapterRequest, limits: RequestLimits) {
    for (;;) {
      try {
        const response = await this.exchange(this.program ?? (await this.start()), request, limits);
        this.ends = 0;
        return response;
      } catch (error) {
        if (!(error instanceof AdapterEnded) || this.ends >= this.restarts) throw error;
        await retryPause(this.initialDelayMs * 2 ** this.ends++, limits.signal);
      }
    }
  }

  /** Writes one line and reads one. A program whose response is late or invalid is stopped. */
  private async exchange(
    program: ChildProgram,
    request: AdapterRequest,
    limits: RequestLimits,
  ): Promise<AdapterResponse> {
    const id = ++this.lastId;
    limits.signal?.throwIfAborted();
    program.writeLine(JSON.stringify({ id, ...request }));
    try {
      const late = () =>
        new InputError(`the adapter ${this.title} did not respond within ${limits.seconds} seconds`, {
          hint: SLOW_ADAPTER,
        });
      const line = await within(program.nextLine(), limits, late);
      if (typeof line !== "string") throw this.endedAs(line);
      return readResponse({ title: this.title, notJson: NOT_JSON }, id, line);
    } catch (error) {
      if (!(error instanceof AdapterError)) {
        if (this.program === program) this.program = undefined;
        await program.stop(0);
      }
      throw error;
    }
  }

  private endedAs(ending: ProgramExit): InputError {
    const { title } = this;
    switch (ending.how) {
      case "code":
      case "signal": {
        const how = ending.how === "code" ? `exit code ${ending.code}` : ending.signal;
        const again = this.ends === 0 ? "" : ` after ${this.ends} restarts`;
        return new AdapterEnded(`the adapter ${title} ended with ${how} before it responded${again}`, {
          hint: "its messages on standard error are printed above",
        });
      }
      case "not started": {
        const [program] = this.words;
        const missing = "code" in ending.error && ending.error.code === "ENOENT";
        return new InputError(
          missing
            ? `there is no program ${JSON.stringify(program)}`
            : `the program ${JSON.stringify(program)} cannot be started: ${ending.error.message}`,
          { hint: `the adapter's command is ${title}; it is started without a shell`, cause: ending.error },
        );
      }
      case "too long":
        return new InputError(`the adapter ${title} wrote a line of more than ${ending.bytes} bytes`, {
          hint: "send states in base64, or set a smaller batchSize in the response to hello",
        });
    }
  }
}

/**
 * The promise's value; rejects with `late()` after the time limit, and with the signal's reason when it is
 * aborted.
 */
async function within<T>(
  promise: Promise<T>,
  { seconds, signal }: RequestLimits,
  late: () => Error,
): Promise<T> {
  const over = new AbortController();
  const stop = signal === undefined ? over.signal : AbortSignal.any([over.signal, signal]);
  const limit = pause(seconds * 1000, undefined, { signal: stop }).then(
    () => {
      throw late();
    },
    () => {
      signal?.throwIfAborted();
      return new Promise<never>(() => {});
    },
  );
  try {
    return await Promise.race([promise, limit]);
  } finally {
    over.abort();
  }
}

/**
 * Splits a command into words at blanks; single or double quotes group. Nothing else is special: there is no
 * shell, and a backslash is a plain character, as in Windows paths.
 *
 * @throws {InputError} when the command is empty, or a quote is not closed
 */
export function commandWords(command: string): readonly [string, ...string[]] {
  const words: string[] = [];
  const word = /(?:"([^"]*)"|'([^']*)'|([^\s"']+))/y;
  let at = 0;
  let apart = true;
  while (at < command.length) {
    if (/\s/.test(command[at])) {
      at++;
      apart = true;
      continue;
    }
    word.lastIndex = at;
    const found = word.exec(command);
    if (found === null) {
      throw new InputError(`a quote is not closed in ${JSON.stringify(command)}`);
    }
    const text = found[1] ?? found[2] ?? found[3] ?? "";
    if (apart) words.push(text);
    else words.push(`${words.pop()}${text}`);
    apart = false;
    at = word.lastIndex;
  }
  const [program, ...rest] = words;
  if (program === undefined || program === "") {
    throw new InputError("the command of the adapter is empty", { hint: "write stdio:python3 adapter.py" });
  }
  return [program, ...rest];
}
