import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { inputOf } from "./inputs.ts";
import { PARSERS } from "./parsers.ts";
import { writeSeeds } from "./seeds.ts";
import { type FuzzState, readState } from "./state.ts";

export interface FuzzOptions {
  /** New folder for seeds, inputs, and those that fail: `failures/PARSER-SEED-NUMBER/`. */
  readonly folder: string;
  /** Names of parsers; default: all. */
  readonly only?: readonly string[] | undefined;
  /** Mutated inputs per parser, 1 or more. */
  readonly inputs: number | ((parser: string) => number);
  readonly seed: number;
  /** Number of the first input. */
  readonly first?: number;
  /** Time limit of an input, in seconds. */
  readonly bound?: number;
  /** Concurrent processes. */
  readonly jobs?: number;
  /** Arguments of Node that start `parse-child.ts`. */
  readonly child?: readonly string[];
  readonly log?: (line: string) => void;
}

/** Verdicts on a parser's inputs. */
export interface ParserReport {
  readonly parser: string;
  readonly inputs: number;
  readonly accepted: number;
  readonly refused: number;
  readonly failures: readonly Failure[];
  readonly seconds: number;
}

export interface Failure {
  readonly parser: string;
  /** Undefined for a seed that is refused unmutated. */
  readonly number?: number | undefined;
  /** Error with its stack, or how the process ended. */
  readonly text: string;
}

/** Job file of a child: its parsers and the paths of its state and failures. */
export interface FuzzJob {
  readonly parsers: readonly string[];
  readonly seeds: string;
  readonly work: string;
  readonly state: string;
  readonly failures: string;
  readonly seed: number;
  readonly first: number;
  /** Inputs of each parser, and the largest of these numbers. */
  readonly counts: readonly number[];
  readonly inputs: number;
  /** Position to start from: parser × inputs + input. */
  readonly from: number;
}

const CHILD = ["--import", "tsx", fileURLToPath(new URL("parse-child.ts", import.meta.url))];

/** Time limit for the start of a child, in seconds. */
const START = 300;

/** Maximum number of saved failures per parser. */
const MAX_SAVED = 20;

/**
 * Parses mutated inputs of each parser in child processes. An input is accepted or refused with an
 * `InputError`; another error, a crash, a hang, more than 2 GiB of memory, and a file opened outside the
 * input's folder are failures. Failed inputs are saved.
 */
export async function fuzz(options: FuzzOptions): Promise<readonly ParserReport[]> {
  const { folder, only, seed, first = 0, bound = 60, jobs = 1, child = CHILD } = options;
  const { log = () => {} } = options;
  const unknown = only?.find((name) => !PARSERS.some((parser) => parser.name === name));
  if (unknown !== undefined) {
    throw new Error(`there is no parser ${unknown}; parsers: ${PARSERS.map(({ name }) => name).join(", ")}`);
  }
  const countOf = (parser: string) =>
    typeof options.inputs === "number" ? options.inputs : options.inputs(parser);
  const names = PARSERS.map(({ name }) => name).filter((name) => only?.includes(name) ?? true);
  const seeds = join(folder, "seeds");
  await writeSeeds(seeds);
  const shares = Array.from({ length: Math.min(jobs, names.length) }, (_, job) =>
    names.filter((_, i) => i % jobs === job),
  );
  const reports = await Promise.all(
    shares.map(async (parsers, job) => {
      const work = join(folder, `job-${job}`);
      await mkdir(work, { recursive: true });
      const paths = { work, state: join(work, "state"), failures: join(work, "failures.jsonl") };
      await writeFile(paths.failures, "");
      const counts = parsers.map(countOf);
      const inputs = Math.max(...counts);
      const request = { parsers, seeds, ...paths, seed, first, counts, inputs, from: 0 };
      const state = await runJob(request, child, bound);
      const lines = (await readFile(paths.failures, "utf8")).split("\n").filter((line) => line !== "");
      const failures = lines.map((line) => JSON.parse(line) as Failure);
      return parsers.map((parser, p) => ({
        parser,
        inputs: counts[p],
        accepted: state.accepted[p],
        refused: state.refused[p],
        seconds: state.seconds[p],
        failures: failures.filter((failure) => failure.parser === parser),
      }));
    }),
  );
  const sorted = reports.flat().sort((a, b) => names.indexOf(a.parser) - names.indexOf(b.parser));
  for (const report of sorted) {
    log(reportLine(report));
    for (const failure of report.failures.slice(0, MAX_SAVED)) log(await saved(failure, seeds, options));
  }
  return sorted;
}

/** Runs children, each starting after the last input of the one before, until all inputs are done. */
async function runJob(job: FuzzJob, child: readonly string[], bound: number): Promise<FuzzState> {
  const path = join(job.work, "job.json");
  const total = job.parsers.length * job.inputs;
  for (let from = 0; ; ) {
    await writeFile(path, JSON.stringify({ ...job, from } satisfies FuzzJob));
    const ended = await runChild([...child, path], job, bound);
    const state = readState(job.state, job.parsers.length);
    if (ended === undefined && state.position >= total) return state;
    if (ended === undefined) {
      from = state.position;
      continue;
    }
    if (state.position < from) throw new Error(`the child process did not start: ${ended}`);
    const parser = job.parsers[Math.floor(state.position / job.inputs)];
    const number = job.first + (state.position % job.inputs);
    const failure: Failure = { parser, number, text: ended };
    await writeFile(job.failures, `${JSON.stringify(failure)}\n`, { flag: "a" });
    from = state.position + 1;
    if (from >= total) return state;
  }
}

/** Description of an abnormal end of the child; undefined after all inputs or at the memory limit. */
async function runChild(words: readonly string[], job: FuzzJob, bound: number): Promise<string | undefined> {
  const child = spawn(process.execPath, ["--max-old-space-size=1024", ...words], {
    stdio: ["ignore", "ignore", "pipe"],
    env: { ...process.env, DART_EVAL_CACHE: join(job.work, "cache"), TMPDIR: job.work },
  });
  let printed = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    printed = `${printed}${text}`.slice(-1500);
  });
  const ended = once(child, "close");
  const stopWatching = new AbortController();
  const watching = killWhenStuck(child.pid!, job, bound, stopWatching.signal);
  const [code, signal] = await ended;
  stopWatching.abort();
  const stuck = await watching;
  if (stuck) return `no end within ${bound} s`;
  return code === 0 ? undefined : `the process exited with ${code ?? signal}: ${printed.trim()}`;
}

/** True when it killed the process. */
async function killWhenStuck(pid: number, job: FuzzJob, bound: number, ended: AbortSignal): Promise<boolean> {
  let last = -1;
  let since = performance.now();
  const started = since;
  while (!ended.aborted) {
    await setTimeout(500, undefined, { signal: ended }).catch(() => {});
    const { position } = await positionOf(job);
    if (position !== last) {
      last = position;
      since = performance.now();
    }
    const begun = since > started + 1000;
    if (performance.now() - since > 1000 * (begun ? bound : START)) {
      process.kill(pid, "SIGKILL");
      return true;
    }
  }
  return false;
}

async function positionOf(job: FuzzJob): Promise<{ readonly position: number }> {
  const bytes = await readFile(job.state).catch(() => Buffer.alloc(0));
  return { position: bytes.length >= 8 ? bytes.readDoubleLE(0) : -1 };
}

/** Saves a failed input and describes it with its error and the command that repeats it. */
async function saved(
  { parser, number, text }: Failure,
  seeds: string,
  { folder, seed }: FuzzOptions,
): Promise<string> {
  const error = text.split("\n").slice(0, 4).join("\n  ");
  if (number === undefined) return `FAILED ${parser}: a seed is refused: ${error}`;
  const found = PARSERS.find(({ name }) => name === parser)!;
  const to = join(folder, "failures", `${parser}-${seed}-${number}`);
  for (const [name, bytes] of Object.entries(inputOf(found, found.seeds(seeds), seed, number))) {
    await mkdir(dirname(join(to, name)), { recursive: true });
    await writeFile(join(to, name), bytes);
  }
  const replay = `npm run fuzz -- --only ${parser} --seed ${seed} --first ${number} --inputs 1`;
  return `FAILED ${parser} seed ${seed} number ${number}: ${error}\n  saved in ${to}; again: ${replay}`;
}

function reportLine({ parser, inputs, accepted, refused, failures, seconds }: ParserReport): string {
  const count = (n: number, width: number) => n.toLocaleString("en-GB").padStart(width);
  const rate = `${count(Math.round(inputs / Math.max(seconds, 1e-3)), 6)} inputs/s`;
  return `${parser.padEnd(24)} ${count(inputs, 8)} inputs ${count(accepted, 8)} accepted ${count(refused, 8)} refused ${count(failures.length, 5)} failures ${rate}`;
}
