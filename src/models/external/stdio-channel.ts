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
  LONGEST_RESPONSE,
  type RequestLimits,
  readResponse,
  type SendRequest,
} from "./adapter-protocol.ts";

export interface StdioOptions {
  /** How often in a row a program that ended is started again before a question is given up. */
  readonly restarts?: number;
  /** Pause before the first restart; it doubles each time. */
  readonly initialDelayMs?: number;
}

const NOT_JSON = "only answers belong on standard output; print anything else to standard error";

/** A program that ended while it was waited for: it may be started again. */
class AdapterEnded extends InputError {}

/**
 * Starts a program that reads questions from its standard input and writes answers to its standard output, a line each.
 * Its standard error is ours. It is started without a shell, started again when it ends of itself, and ends with us.
 *
 * @param command  as a person types it: `python3 adapter.py --weights "my model"`
 * @throws {InputError} when it cannot be started, or does not return the greeting
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
  /** The question before; one is asked at a time. */
  private before: Promise<unknown> = Promise.resolve();
  private lastId = 0;
  /** Since the last answer. */
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

  readonly ask: SendRequest = (question, limits) => {
    const answer = this.before.then(() => this.askAgain(question, limits));
    this.before = answer.catch(() => {});
    return answer;
  };

  async start(): Promise<ChildProgram> {
    const program = startProgram(this.words, { longestLine: LONGEST_RESPONSE });
    try {
      await this.greet((question, limits) => this.exchange(program, question, limits));
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

  private async askAgain(question: AdapterRequest, limits: RequestLimits): Promise<AdapterResponse> {
    for (;;) {
      try {
        const answer = await this.exchange(this.program ?? (await this.start()), question, limits);
        this.ends = 0;
        return answer;
      } catch (error) {
        if (!(error instanceof AdapterEnded) || this.ends >= this.restarts) throw error;
        await retryPause(this.initialDelayMs * 2 ** this.ends++, limits.signal);
      }
    }
  }

  /** One line there and one back. A program that gave no answer, or something else, is not asked again. */
  private async exchange(
    program: ChildProgram,
    question: AdapterRequest,
    limits: RequestLimits,
  ): Promise<AdapterResponse> {
    const id = ++this.lastId;
    limits.signal?.throwIfAborted();
    program.writeLine(JSON.stringify({ id, ...question }));
    try {
      const late = () =>
        new InputError(`the adapter ${this.title} gave no answer in ${limits.seconds} seconds`, {
          hint: "a slow one says so when it is greeted: secondsPerAnswer, or a smaller batchSize",
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
        const again = this.ends === 0 ? "" : `, having been started again ${this.ends} times`;
        return new AdapterEnded(`the adapter ${title} ended with ${how} when an answer was due${again}`, {
          hint: "what it wrote on standard error stands above",
        });
      }
      case "not started": {
        const [program] = this.words;
        const missing = "code" in ending.error && ending.error.code === "ENOENT";
        return new InputError(
          missing
            ? `there is no program ${JSON.stringify(program)}`
            : `the program ${JSON.stringify(program)} cannot be started: ${ending.error.message}`,
          { hint: `the adapter was given as ${title}; it is started without a shell`, cause: ending.error },
        );
      }
      case "too long":
        return new InputError(`the adapter ${title} wrote a line of more than ${ending.bytes} bytes`, {
          hint: "answer with states in base64, or say a smaller batchSize when greeted",
        });
    }
  }
}

/** The promise's value; or an error as soon as the time is over, or the signal's reason as soon as it is aborted. */
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
 * The words of a command as a person types it: apart by blanks; quotes of either kind keep what is between them together.
 * There is no shell, so nothing else is special; a backslash is a letter, as paths of Windows need it.
 *
 * @throws {InputError} when there is no word, or a quote is not closed
 */
export function commandWords(command: string): readonly [string, ...string[]] {
  const words: string[] = [];
  const word = /(?:"([^"]*)"|'([^']*)'|([^\s"']+))/y;
  let at = 0;
  let apart = true;
  while (at < command.length) {
    const blanks = /\s*/y;
    blanks.lastIndex = at;
    const skipped = blanks.exec(command)![0].length;
    if (skipped > 0) {
      at += skipped;
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
