import { createInterface } from "node:readline";
import type { ProgressEvent } from "../evaluation/runs/progress.ts";
import type { ShardOutcome } from "../evaluation/runs/run-shard.ts";
import { Interrupted } from "./failure.ts";
import type { Terminal } from "./terminal.ts";

/** Message of a job to the process that started it. */
export type JobMessage =
  /** The plan is made; the job waits for cells. */
  | { readonly kind: "ready" }
  /** Text for stderr. */
  | { readonly kind: "say"; readonly text: string }
  | { readonly kind: "progress"; readonly event: ProgressEvent }
  /** The requested cells are done; the job waits for others. */
  | { readonly kind: "done"; readonly outcomes: readonly ShardOutcome[] };

/** Request to a job: run the cells with these identities, stop after the current batch, or end. */
export type JobRequest = readonly string[] | "stop" | "end";

/** First character of a message's line, as in JSON text sequences (RFC 7464). */
const MARK = "\x1e";

/** Environment variable that makes a process a job; its value is the number of threads. */
export const JOB_THREADS = "DART_EVAL_JOB_THREADS";

/**
 * Side of the child process in `run --jobs`. Both sides exchange lines: requests on standard input, messages
 * on standard output.
 */
export class Job {
  private readonly controller = new AbortController();
  private readonly requests: (readonly string[] | "end")[] = [];
  private waiting: ((request: readonly string[] | "end") => void) | undefined;

  /** @param write  writes a line to the process that started the job */
  constructor(
    readonly threads: number,
    private readonly write: (line: string) => void,
  ) {}

  /** Aborts on the request "stop". */
  get stopped(): AbortSignal {
    return this.controller.signal;
  }

  /** Terminal whose lines are printed by the process that started the job. */
  get terminal(): Terminal {
    const say = (text: string) => this.send({ kind: "say", text });
    return { print: say, say, screen: undefined };
  }

  send(message: JobMessage): void {
    this.write(`${MARK}${JSON.stringify(message)}`);
  }

  /** Takes a line with a request. */
  receive(line: string): void {
    const request = JSON.parse(line) as JobRequest;
    if (request === "stop") this.controller.abort(new Interrupted("SIGTERM"));
    const next = request === "stop" ? "end" : request;
    if (this.waiting === undefined) this.requests.push(next);
    else this.waiting(next);
    this.waiting = undefined;
  }

  /** Identities of the next cells; undefined when the job ends. */
  async next(): Promise<readonly string[] | undefined> {
    const request =
      this.requests.shift() ??
      (await new Promise<readonly string[] | "end">((resolve) => {
        this.waiting = resolve;
      }));
    return request === "end" ? undefined : request;
  }
}

/** Text that a job printed, and the message that follows it in the same line. */
export function readJobLine(line: string): { readonly text: string; readonly message?: JobMessage } {
  const at = line.indexOf(MARK);
  if (at < 0) return { text: line };
  return { text: line.slice(0, at), message: JSON.parse(line.slice(at + 1)) as JobMessage };
}

/**
 * This process as a job of `run --jobs`; undefined if a user started it. A job ends at once when the process
 * that started it is gone: everything that it has stored is complete, and the same command resumes it.
 */
export function jobOfThisProcess(): (Job & Disposable) | undefined {
  const threads = process.env[JOB_THREADS];
  if (threads === undefined) return undefined;
  delete process.env[JOB_THREADS];
  const job = new Job(Number(threads), (line) => void process.stdout.write(`${line}\n`));
  const requests = createInterface({ input: process.stdin });
  const leave = () => process.exit(new Interrupted("SIGHUP").exitCode);
  requests.on("line", (line) => job.receive(line));
  requests.on("close", leave);
  return Object.assign(job, {
    [Symbol.dispose]() {
      requests.off("close", leave);
      requests.close();
      process.stdin.destroy();
    },
  });
}
