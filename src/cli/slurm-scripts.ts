import { availableParallelism } from "node:os";
import { join } from "node:path";
import type { Command } from "commander";
import { InputError } from "../base/errors.ts";
import { counted } from "../base/message-text.ts";
import { packagePath } from "../base/package.ts";
import { writeFileAtomic } from "../base/write-file.ts";
import type { Plan } from "../evaluation/runs/request.ts";
import { MAX_SHARDS, type Shard } from "../evaluation/runs/shard.ts";
import { roughBytes, roughDuration } from "../report/numbers.ts";
import { shellWord } from "./command.ts";
import { startSeconds } from "./plan-text.ts";

/** Resources of a run as Slurm jobs: one array task per shard, then a merge. */
export interface SlurmJobs {
  readonly shards: number;
  /** Seconds of one array task; null for a plan without times. */
  readonly seconds: number | null;
  /** CPUs of a task, which are the threads of its models. */
  readonly cpus: number;
  /** True if each task needs a GPU. */
  readonly gpu: boolean;
  /** Bytes of a task; null if a model does not state its memory. */
  readonly memory: number | null;
  /** True if the first shard trains the models that the other shards use. */
  readonly trains: boolean;
  /** Rows of all cells, which the merge reads. */
  readonly rows: number;
  /** True if the merge clusters all rows, which takes long. */
  readonly clusters: boolean;
}

interface SlurmOptions {
  readonly sbatch?: string;
  readonly shards?: number;
  readonly shard: Shard;
  readonly threads?: number;
  readonly untilWidth?: number;
  readonly timing: boolean;
  readonly jobs: number;
}

/** @throws {InputError} for options that contradict `--sbatch` */
export function checkSlurmOptions(options: SlurmOptions): void {
  const { sbatch, shards, shard, untilWidth, timing, jobs } = options;
  if (sbatch === undefined) {
    if (shards === undefined) return;
    throw new InputError("--shards is an option of --sbatch", {
      hint: "to run one shard here, use --shard i/n",
    });
  }
  if (shard.count > 1) {
    throw new InputError("--shard and --sbatch cannot be combined: the scripts run all shards", {
      hint: "use --shards N for their number",
    });
  }
  if (jobs > 1) {
    throw new InputError("--jobs and --sbatch cannot be combined: a Slurm job is one process", {
      hint: "use --shards N for the number of Slurm jobs",
    });
  }
  if (shards !== undefined && shards > MAX_SHARDS) {
    throw new InputError(`${shards} shards; at most ${MAX_SHARDS} are possible`);
  }
  if (untilWidth !== undefined && shards !== undefined && shards > 1) {
    throw new InputError("--until-width needs a run of a single shard", {
      hint: "leave out --shards or --until-width",
    });
  }
  if (!timing && shards === undefined && untilWidth === undefined) {
    throw new InputError("without times the number of shards is unknown", {
      hint: "add --shards N, or leave out --no-timing",
    });
  }
}

/** Threads of a task by default: more speed up a model little, and a job of many cores waits longer. */
const MAX_CPUS = 8;

/** CPUs of a task, at most those of this machine, for which the times of the plan hold. */
export const slurmThreads = () => Math.min(MAX_CPUS, availableParallelism());

/** Target duration of a task: long compared with its start, short enough that a failed node loses little. */
const TASK_SECONDS = 3600;

/** Scoring takes at least this many times as long as the start of a task. */
const MIN_STARTS = 10;

/** Resources of the jobs for a plan with one shard; two plans under both protocols. */
export function slurmJobs(
  plans: readonly Plan[],
  { shards: requested, threads = slurmThreads(), untilWidth }: SlurmOptions,
): SlurmJobs {
  const cells = plans.flatMap((plan) => plan.cells);
  const start = Math.max(...plans.map(startSeconds));
  let scoring: number | null = 0;
  let training = 0;
  for (const { estimate } of cells) {
    const { seconds, trainingSeconds, measuring = 0 } = estimate;
    // The merge measures.
    scoring = seconds === null || scoring === null ? null : scoring + seconds - measuring;
    training += trainingSeconds;
  }
  if (scoring !== null) scoring -= training;
  const shards = untilWidth !== undefined ? 1 : (requested ?? shardCount(cells, scoring, start));
  const memories = cells.map(({ estimate }) => estimate.memory);
  return {
    shards,
    seconds: scoring === null ? null : start + training + scoring / shards,
    cpus: threads,
    gpu: cells.some(({ model: { device } }) => device !== undefined && device !== "cpu"),
    memory: memories.includes(null) ? null : Math.max(...memories.map((bytes) => bytes ?? 0)),
    trains: cells.some(({ setting, weights }) => !setting.readyAtOnce && weights === undefined),
    rows: cells.reduce((sum, { rows }) => sum + rows.length, 0),
    clusters: cells.some(({ task, setting }) => task.task.settings[setting.name]?.measuredWhole === true),
  };
}

function shardCount(cells: Plan["cells"], scoring: number | null, start: number): number {
  if (scoring === null) {
    throw new InputError("a cell of this plan has no time, so the number of shards is unknown", {
      hint: "add --shards N",
    });
  }
  const rows = Math.max(...cells.map((cell) => cell.rows.length));
  const most = Math.min(rows, MAX_SHARDS, Math.floor(scoring / (MIN_STARTS * start)));
  return Math.max(1, Math.min(Math.round(scoring / TASK_SECONDS), most));
}

/** One line about the jobs. */
export function slurmJobsText({ shards, seconds, cpus, gpu, memory }: SlurmJobs): string {
  const each = [
    ...(seconds === null ? [] : [`about ${roughDuration(seconds)}`]),
    counted(cpus, "CPU"),
    ...(gpu ? ["1 GPU"] : []),
    ...(memory === null ? [] : [roughBytes(memory)]),
  ];
  return `Slurm jobs: ${counted(shards, "shard")}, each ${each.join(", ")}; then merge and report`;
}

/** Options that only apply to the command that plans. */
const PLANNING = new Set([
  ...["plan", "timing", "json", "sbatch", "shards"],
  ...["shard", "wait", "threads", "devices"],
]);

/** Options of a run as words, as given on the command line. */
export function wordsOf(command: Command): readonly string[] {
  return command.options.flatMap((option) => {
    const name = option.attributeName();
    if (PLANNING.has(name) || command.getOptionValueSource(name) !== "cli") return [];
    const value: unknown = command.getOptionValue(name);
    if (value === true) return [`${option.long}`];
    return [value].flat().map((item) => `${option.long}=${String(item)}`);
  });
}

export interface SlurmRun {
  /** Folder of the run. */
  readonly out: string;
  /** Options of `dart-eval run`, without shard and threads. */
  readonly words: readonly string[];
  /** Working folder of the jobs; default: the current one. */
  readonly directory?: string;
  /** Command that starts the program; default: this one. */
  readonly program?: readonly string[];
}

/** Writes submit.sh and the scripts that it submits into a folder. */
export async function writeSlurmScripts(folder: string, jobs: SlurmJobs, run: SlurmRun): Promise<void> {
  const texts = { "submit.sh": submitScript(jobs, run), "job.sh": jobScript(jobs, run) };
  const batch = { "shard.sbatch": shardScript(jobs, run), "merge.sbatch": mergeScript(jobs, run) };
  for (const [name, text] of Object.entries({ ...texts, ...batch })) {
    await writeFileAtomic(join(folder, name), text);
  }
}

const quoted = (words: readonly string[]) => words.map((word) => shellWord(word, "linux")).join(" ");

/** Runs on the machine that submits. Arrays have fewer tasks than `MaxArraySize`. */
function submitScript({ shards, trains }: SlurmJobs, { out }: SlurmRun): string {
  const first = trains && shards > 1;
  return `#!/bin/bash
# Submits the shards of a run, and its merge, which runs if all shards succeed. Options are those of sbatch and
# apply to every job: bash submit.sh --partition=long --account=lab --time=12:00:00
# To repeat shards that failed, run it again: finished shards end at once.
set -euo pipefail
cd -- "$(dirname -- "\${BASH_SOURCE[0]}")"
here=$PWD
mkdir -p log

submit() {
  local id
  id=$(sbatch --parsable --kill-on-invalid-dep=yes "$@")
  echo "\${id%%;*}"
}

most=$(scontrol show config | sed -n 's/^MaxArraySize *= *//p')
size=$((\${most:-1001} - 1))
arrays=
${
  first
    ? `# The first shard trains; the others use what it trained.
first=$(submit --output=log/shard-%A_%a.out --array=1 "$@" shard.sbatch "$here" 0)
arrays=:$first
`
    : ""
}before=${first ? 1 : 0}
while [ $before -lt ${shards} ]; do
  tasks=$((${shards} - before))
  if [ $tasks -gt $size ]; then tasks=$size; fi
  arrays=$arrays:$(submit ${first ? '--dependency="afterok:$first" ' : ""}--output=log/shard-%A_%a.out --array="1-$tasks" "$@" shard.sbatch "$here" $before)
  before=$((before + tasks))
done
merge=$(submit --output=log/merge-%j.out --dependency="afterok$arrays" "$@" merge.sbatch "$here")
echo "submitted ${counted(shards, "shard")} as \${arrays#:}, merge and report as $merge; logs: $here/log"
echo "progress: dart-eval status" ${quoted([quoted([out])])}
`;
}

/** Seconds before the time limit at which a job stops and returns to the queue. */
const NOTICE_SECONDS = 120;

/** Shell file that every job sources: the program, the working folder and `resumable`. */
function jobScript(
  jobs: SlurmJobs,
  {
    directory = process.cwd(),
    program = [process.execPath, packagePath("dist/cli/main.js")],
  }: Partial<SlurmRun>,
): string {
  return `# Read by every job on its node. Load modules here, or replace the program, for example by a container:
#   dart_eval=(apptainer run --nv dart-eval.sif)
dart_eval=(${quoted(program)})
cd -- ${quoted([directory])} || exit

# How often a job returns to the queue: at its time limit, when another process holds its shard, or a disk fails.
most_restarts=${maxRestarts(jobs)}

# Runs a command that resumes. Returns its exit code, or puts the job back into the queue and waits for its end.
resumable() {
  local child='' code at_limit=no signalled=no early
  trap 'at_limit=yes signalled=yes; [ -z "$child" ] || kill -TERM "$child"' USR1
  trap 'signalled=yes; [ -z "$child" ] || kill -TERM "$child"' TERM INT
  "$@" &
  # A signal before the child has a name would be lost.
  child=$! early=$signalled
  [ $early = no ] || kill -TERM "$child"
  # A signal to this shell ends wait before the child ends.
  while :; do
    signalled=no
    wait "$child"
    code=$?
    [ $signalled = yes ] || break
  done
  trap - USR1 TERM INT
  if [ $code = 75 ] || { [ $code = 143 ] && [ $at_limit = yes ]; }; then
    if [ "\${SLURM_RESTART_COUNT:-0}" -lt "$most_restarts" ]; then
      echo "exit code $code: back to the queue, restart $((\${SLURM_RESTART_COUNT:-0} + 1)) of at most $most_restarts"
      scontrol requeue "$SLURM_JOB_ID" && sleep 600
    fi
  fi
  return "$code"
}
`;
}

function shardScript(jobs: SlurmJobs, { words }: SlurmRun): string {
  return `#!/bin/bash
#SBATCH --job-name=dart-eval
${resources(jobs, limitMinutes(jobs))}
# Runs one shard. Arguments: the folder of this script, and the number of shards before this array.
. "$1/job.sh"
shard=$(($2 + SLURM_ARRAY_TASK_ID))
resumable "\${dart_eval[@]}" run ${quoted(words)} --threads="$SLURM_CPUS_PER_TASK" --shard="$shard/${jobs.shards}" --wait --no-timing
`;
}

/** Time limit of a merge: reads rows and computes intervals or clusterings; an interrupted merge resumes. */
const MERGE_MINUTES = 60;
const CLUSTERING_MINUTES = 24 * 60;

function mergeScript(jobs: SlurmJobs, { out }: SlurmRun): string {
  const { rows, clusters, memory } = jobs;
  const own = { ...jobs, gpu: false, memory: memory === null ? null : Math.max(memory, mergeBytes(rows)) };
  return `#!/bin/bash
#SBATCH --job-name=dart-eval-merge
${resources(own, clusters ? CLUSTERING_MINUTES : MERGE_MINUTES)}
# Merges the shards and writes report.html. Argument: the folder of this script.
. "$1/job.sh"
resumable "\${dart_eval[@]}" merge ${quoted([out])} || exit
resumable "\${dart_eval[@]}" report ${quoted([out])} --out="$1/report.html"
`;
}

/** Peak memory of a merge, with a reserve: Task 1 takes 350 MB at 2.35 million rows, 777 MB at 23 million. */
const mergeBytes = (rows: number) => 500e6 + 50 * rows;

/** Planned memory is within 30 % of the peak, see docs/plans.md; Slurm kills a job above its limit. */
const MEMORY_RESERVE = 1.4;

function resources({ cpus, gpu, memory }: SlurmJobs, minutes: number | null): string {
  const options = [
    `--cpus-per-task=${cpus}`,
    ...(gpu ? ["--gres=gpu:1"] : []),
    ...(memory === null ? [] : [`--mem=${Math.ceil((memory * MEMORY_RESERVE) / 2 ** 20)}M`]),
    ...(minutes === null ? [] : [`--time=${minutes}`]),
    "--requeue",
    "--open-mode=append",
    `--signal=B:USR1@${NOTICE_SECONDS}`,
  ];
  return options.map((option) => `#SBATCH ${option}`).join("\n");
}

/** A time limit that partitions accept; longer tasks return to the queue and resume. */
const MAX_MINUTES = 24 * 60;

/** Twice the planned time, because nodes differ, and at least 15 minutes; null without times. */
function limitMinutes({ seconds }: SlurmJobs): number | null {
  if (seconds === null) return null;
  return Math.min(MAX_MINUTES, Math.max(15, Math.ceil((2 * seconds + NOTICE_SECONDS) / 60)));
}

/** Four times the restarts that the planned time needs, and ten. */
function maxRestarts(jobs: SlurmJobs): number {
  return 10 + Math.floor((4 * (jobs.seconds ?? 0)) / (60 * MAX_MINUTES));
}
