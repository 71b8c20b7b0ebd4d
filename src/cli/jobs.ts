import { availableParallelism } from "node:os";
import { type ChildProgram, type ProgramExit, startProgram } from "../base/child-program.ts";
import { InputError } from "../base/errors.ts";
import { counted } from "../base/message-text.ts";
import { cellName, cellTitle } from "../evaluation/runs/cell.ts";
import { cellGroups } from "../evaluation/runs/cell-groups.ts";
import type { Plan } from "../evaluation/runs/request.ts";
import type { ShardOutcome } from "../evaluation/runs/run-shard.ts";
import { roughBytes, roughDuration } from "../report/numbers.ts";
import type { Context } from "./command.ts";
import { JobFailed } from "./failure.ts";
import { JOB_THREADS, type JobMessage, type JobRequest, readJobLine } from "./job.ts";
import { startSeconds } from "./plan-text.ts";
import { type JobLines, shareTerminal } from "./progress.ts";
import { outcomeText, showRunProgress } from "./run-progress.ts";
import type { Terminal } from "./terminal.ts";

/** Processes of a run on this machine, and the cells that they share. */
export interface Jobs {
  /** Number of processes. */
  readonly count: number;
  /** Threads of each. */
  readonly threads: number;
  /** Identities of cells that one process runs in order. */
  readonly groups: readonly (readonly string[])[];
  /** Titles of all cells by name, in the order of the plans. */
  readonly titles: ReadonlyMap<string, string>;
  /** Seconds until the last job ends; null without estimates. */
  readonly seconds: number | null;
}

/** CPU threads of each of several jobs, unless the user gives them. */
export const threadsPerJob = (jobs: number): number => Math.max(1, Math.floor(availableParallelism() / jobs));

/**
 * Jobs for the cells of plans: at most as many as requested, as there are groups of cells, and as the memory
 * has room for, which prints a note.
 *
 * @param memory  available bytes
 */
export function planJobs(
  plans: readonly Plan[],
  {
    jobs,
    threads,
    memory = process.availableMemory(),
  }: { readonly jobs: number; readonly threads?: number; readonly memory?: number },
  terminal: Pick<Terminal, "say">,
): Jobs {
  const groups = cellGroups(plans);
  const wanted = Math.min(jobs, groups.length);
  const largest = groups.map((group) => group.memory ?? 0).sort((a, b) => b - a);
  const need = (jobs: number) => largest.slice(0, jobs).reduce((sum, bytes) => sum + bytes, 0);
  let count = wanted;
  while (count > 1 && need(count) > memory) count--;
  if (count < wanted) {
    terminal.say(
      `note: ${wanted} jobs need up to ${roughBytes(need(wanted))} of memory, and ${roughBytes(memory)} are available: ${counted(count, "job")}`,
    );
  }
  const cells = plans.flatMap((plan) => plan.cells);
  const seconds = longestLoad(
    groups.map((group) => group.seconds),
    count,
  );
  return {
    count,
    threads: threads ?? threadsPerJob(count),
    groups: groups.map((group) => group.cells.map(({ record }) => record.identity)),
    titles: new Map(cells.map(({ name, record }) => [name, cellTitle(record.cell)])),
    seconds: seconds === null ? null : seconds + Math.max(...plans.map(startSeconds)),
  };
}

/** Seconds until all groups are done, if each job takes the next group when it is free. */
function longestLoad(groups: readonly (number | null)[], jobs: number): number | null {
  const loads = new Array<number>(jobs).fill(0);
  for (const seconds of groups) {
    if (seconds === null) return null;
    loads[loads.indexOf(Math.min(...loads))] += seconds;
  }
  return Math.max(...loads);
}

/** `12 cells in 4 jobs of 2 threads each: about 3 min` */
export function jobsText({ count, threads, titles, seconds }: Jobs): string {
  const time = seconds === null ? "" : `: about ${roughDuration(seconds)}`;
  return `${counted(titles.size, "cell")} in ${counted(count, "job")} of ${counted(threads, "thread")} each${time}`;
}

/** Maximum bytes of a line; the longest has the measurements of the cells of a shard. */
const MAX_LINE_LENGTH = 2 ** 26;

/** Starts the command line of this process once more, as a job. */
const startThisCommand = (threads: number): ChildProgram =>
  startProgram([process.execPath, ...process.execArgv, ...process.argv.slice(1)], {
    maxLineLength: MAX_LINE_LENGTH,
    env: { [JOB_THREADS]: String(threads) },
  });

/**
 * Runs the cells of a run in several processes at the same time; each scores and merges group after group.
 * After an error no further cell starts, and running ones finish. A stop by the user stops all.
 *
 * @returns outcomes in the order of the plans
 * @throws {JobFailed} with the exit code of a process that has printed its error
 * @throws {InputError} when a process was killed
 * @throws the signal's reason when the user stopped it
 */
export async function runJobs(jobs: Jobs, context: Context): Promise<readonly ShardOutcome[]> {
  const { terminal, signal, startJob = startThisCommand } = context;
  const { count, groups, titles } = jobs;
  context.resume = "Run the same command again to resume.";
  terminal.say(jobsText(jobs));
  const waiting = [...groups];
  const outcomes = new Map<string, ShardOutcome>();
  let failure: Error | undefined;
  let running = count;
  using shared = shareTerminal(terminal, count);
  const { say } = shared;

  const finish = (outcome: ShardOutcome) => {
    outcomes.set(outcome.cell, outcome);
    say(`${outcomeText(outcome)} (${outcomes.size} of ${counted(titles.size, "cell")})`);
  };

  /** Runs groups in one process until none is left; returns its error. */
  const runJob = async (lines: JobLines): Promise<Error | undefined> => {
    const job = startJob(jobs.threads);
    const request = (next: JobRequest) => job.writeLine(JSON.stringify(next));
    const stop = () => request("stop");
    if (signal.aborted) stop();
    signal.addEventListener("abort", stop);
    using progress = showRunProgress(lines.terminal);
    let group: readonly string[] | undefined;
    const startNext = () => {
      group = failure === undefined ? waiting.shift() : undefined;
      request(group ?? "end");
    };
    const receive = (message: JobMessage) => {
      switch (message.kind) {
        case "say":
          // A stopped process says so; this one does too.
          if (!signal.aborted) say(message.text);
          return;
        case "ready":
          startNext();
          return;
        case "progress":
          if (message.event.kind === "cell-start") {
            lines.begin(message.event.cell, titles.get(message.event.cell) ?? "");
          }
          progress.onProgress(message.event);
          return;
        case "done":
          progress.stop();
          message.outcomes.forEach(finish);
          startNext();
      }
    };
    try {
      for (;;) {
        const output = await job.nextLine();
        if (typeof output !== "string") return exitError(output, group, titles);
        const { text, message } = readJobLine(output);
        if (text !== "") say(text);
        if (message !== undefined) receive(message);
      }
    } finally {
      signal.removeEventListener("abort", stop);
      await job.stop(0);
    }
  };

  await Promise.all(
    shared.jobs.map(async (lines) => {
      const error = await runJob(lines);
      running--;
      if (error === undefined || signal.aborted) return;
      failure ??= error;
      if (running > 0) say("no further cell starts; the running ones finish, Ctrl-C stops them");
    }),
  );
  signal.throwIfAborted();
  if (failure !== undefined) throw failure;
  return [...titles.keys()].flatMap((name) => outcomes.get(name) ?? []);
}

/** Error of a process that ended; undefined if it ended because no cells were left. */
function exitError(
  exit: ProgramExit,
  group: readonly string[] | undefined,
  titles: Jobs["titles"],
): Error | undefined {
  if (exit.how === "code" && exit.code !== 0) return new JobFailed(exit.code);
  if (exit.how === "code" && group === undefined) return undefined;
  const cells = (group ?? []).map((identity) => titles.get(cellName(identity))).join(", ");
  const how =
    exit.how === "signal"
      ? `was ended by ${exit.signal}`
      : exit.how === "not started"
        ? `did not start: ${exit.error.message}`
        : exit.how === "too long"
          ? "printed a line that is too long"
          : "ended before its cells";
  return new InputError(`a job ${how}${cells === "" ? "" : `, in ${cells}`}`, {
    hint: "if the memory does not suffice, use fewer --jobs; the same command resumes the run",
  });
}
