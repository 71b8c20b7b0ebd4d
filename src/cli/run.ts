import { join } from "node:path";
import type { Command } from "commander";
import { InputError } from "../base/errors.ts";
import { checkWritableFolder } from "../base/folder.ts";
import { counted } from "../base/message-text.ts";
import { withoutUndefined } from "../base/record.ts";
import type { Split } from "../dna/genome/chromosome-split.ts";
import { openControls } from "../evaluation/runs/controls.ts";
import { mergeRun } from "../evaluation/runs/merge.ts";
import { planRun } from "../evaluation/runs/plan.ts";
import { checkPositionScores } from "../evaluation/runs/position-scores.ts";
import type { Plan, RunRequest } from "../evaluation/runs/request.ts";
import {
  missingRunError,
  type RunCommand,
  readRunRecord,
  runFolders,
} from "../evaluation/runs/run-folder.ts";
import type { ShardOutcome } from "../evaluation/runs/run-shard.ts";
import type { Shard } from "../evaluation/runs/shard.ts";
import { runResults } from "../evaluation/runs/stored-results.ts";
import type { Model, OpenModelContext, Protocol } from "../models/model.ts";
import { openModels } from "../models/open-model.ts";
import type { Device } from "../net/runtime/device.ts";
import type { Precision } from "../net/runtime/precision.ts";
import { headline } from "../report/leaderboard.ts";
import { type Context, shellWord } from "./command.ts";
import { runOnDevices } from "./device-processes.ts";
import { reportHubDownload } from "./hub-download.ts";
import { type Jobs, jobsText, planJobs, runJobs, threadsPerJob } from "./jobs.ts";
import { planJson, planText } from "./plan-text.ts";
import { openRequestedTasks, type RequestOptions } from "./requested-tasks.ts";
import { runPlans } from "./run-plans.ts";
import { protocolFolders, resultsText, showRunProgress } from "./run-progress.ts";
import {
  checkSlurmOptions,
  slurmJobs,
  slurmJobsText,
  slurmThreads,
  wordsOf,
  writeSlurmScripts,
} from "./slurm-scripts.ts";

/** Options of `dart-eval run`, parsed. */
export interface RunArguments extends RequestOptions {
  readonly model?: readonly string[];
  readonly addModel?: readonly string[];
  readonly controls?: boolean;
  readonly motifs?: string;
  readonly protocol: Protocol | "both";
  readonly out: string;
  readonly context?: number;
  readonly split?: Split;
  readonly untilWidth?: number;
  readonly recipe: readonly string[];
  readonly weights?: string;
  readonly embeddings?: string;
  readonly trained?: string;
  readonly seed: number;
  readonly shard: Shard;
  readonly wait?: boolean;
  readonly device: Device;
  readonly devices?: readonly Device[];
  readonly precision: Precision;
  readonly batchSize?: number;
  readonly threads?: number;
  readonly jobs: number;
  readonly plan?: boolean;
  readonly timing: boolean;
  readonly sbatch?: string;
  readonly shards?: number;
  readonly positionScores?: number;
  readonly json?: boolean;
}

/**
 * Plans and runs the cells of the command line, merges a run of one shard and prints its results.
 *
 * @throws {InputError} when options contradict each other, and as `planRun` does
 */
export async function run(typed: RunArguments, given: Command, context: Context): Promise<void> {
  const { model = [], addModel = [], out } = typed;
  if ((model.length === 0) === (addModel.length === 0)) {
    throw new InputError(
      model.length === 0 ? "no model given" : "--model and --add-model cannot be combined",
      {
        hint: "--model begins or resumes a run, --add-model adds to one",
      },
    );
  }
  if (typed.controls && typed.weights !== undefined) {
    throw new InputError("--controls and --weights cannot be combined", {
      hint: "controls are trained by the run; train them without --weights, in a separate run",
    });
  }
  if (typed.motifs !== undefined && !typed.controls) {
    throw new InputError("--motifs is an option of --controls", { hint: "add --controls, or leave it out" });
  }
  checkSlurmOptions(typed);
  if (typed.sbatch !== undefined) await checkWritableFolder(typed.sbatch);
  if (typed.positionScores !== undefined && (typed.shard.count > 1 || typed.sbatch !== undefined)) {
    throw new InputError("--position-scores needs all rows in one shard, without --shard and --sbatch", {
      hint: "score a part of the rows in a run of its own, with --limit",
    });
  }
  const extend = addModel.length > 0;
  const forSlurm = typed.sbatch === undefined ? {} : { threads: typed.threads ?? slurmThreads() };
  const options: RunArguments = { ...typed, ...(extend ? await optionsOfRun(out, given) : {}), ...forSlurm };
  if (options.devices !== undefined) {
    checkDevices(given);
    const threads = typed.threads === undefined ? [] : [`--threads=${typed.threads}`];
    context.resume = "Run the same command again to resume.";
    await runOnDevices(options.devices, [...wordsOf(given), ...threads], context);
    await printResults(options, context);
    return;
  }
  const ran = await planAndRun(options, given, context);
  if (ran === undefined) return;
  const outcomes = "groups" in ran ? await runJobs(ran, context) : ran;
  if (options.shard.count === 1) await printResults(options, context);
  else printShard(options, outcomes, context);
}

/**
 * Plans and runs, or prints the plan. Tables and models are closed afterwards, so that jobs and a merge have
 * their memory.
 * @returns as `runPlans`; undefined if only the plan was requested
 */
async function planAndRun(
  options: RunArguments,
  given: Command,
  context: Context,
): Promise<readonly ShardOutcome[] | Jobs | undefined> {
  const { terminal, job } = context;
  const { jobs, protocol: protocols, out } = options;
  const threads = options.threads ?? job?.threads ?? (jobs > 1 ? threadsPerJob(jobs) : undefined);
  const plans: Plan[] = [];
  await using requested = await openRequestedTasks(options);
  await using models = await openRunModels(options, { threads, genome: requested.genome }, context);
  try {
    const request: RunRequest = {
      ...requested.request(models.requested),
      ...requestOptions(options, context),
      ...withoutUndefined({ threads }),
      models: models.requested,
      controls: models.controls,
      ...(options.addModel === undefined ? { command: recordedOptions(given) } : { extend: true }),
    };
    for (const { protocol, folder } of protocolFolders(protocols, out)) {
      plans.push(await planRun({ ...request, protocol, folder, earlier: [...plans] }));
    }
    if (options.positionScores !== undefined) checkPositionScores(plans);
    const notes = job === undefined ? [...requested.notes, ...models.notes] : [];
    for (const note of notes) terminal.say(`note: ${note}`);
    if (!options.plan && options.sbatch === undefined) return await runPlans(plans, options, context);
    await printPlans(plans, options, given, context);
    return undefined;
  } finally {
    for (const plan of plans) await plan.close();
  }
}

/** Opens the models and controls of a run. */
async function openRunModels(
  { model = [], addModel = [], controls: withControls, motifs, device, precision }: RunArguments,
  { threads, genome }: Pick<OpenModelContext, "threads" | "genome">,
  { terminal, signal }: Context,
) {
  const download = reportHubDownload(terminal);
  const shared = { device, threads, genome, signal };
  const requested = await openModels([...model, ...addModel], { ...shared, precision, download }).finally(
    () => download.stop(),
  );
  const open: Model[] = [...requested];
  const close = async () => {
    for (const each of open) await each.close?.();
  };
  try {
    const { controls, notes } = withControls
      ? await openControls(requested, { ...shared, motifs })
      : { controls: [], notes: [] };
    open.push(...controls.map((control) => control.model));
    return { requested, controls, notes, [Symbol.asyncDispose]: close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Options of the request, but for tasks and models. */
function requestOptions(options: RunArguments, { signal, job }: Context) {
  const { seed, shard, device, plan = false, sbatch, timing } = options;
  const { context, split, untilWidth, batchSize, weights, embeddings, trained } = options;
  return {
    seed,
    shard,
    device,
    signal,
    timeTraining: (plan || sbatch !== undefined) && timing,
    timing: timing && (job === undefined || "storage"),
    ...withoutUndefined({ context, split, untilWidth, batchSize, weights, embeddings, trained }),
  } as const;
}

/** Prints the plans, and writes the scripts of a run on Slurm. */
async function printPlans(
  plans: readonly Plan[],
  options: RunArguments,
  given: Command,
  { terminal }: Context,
): Promise<void> {
  const { json, sbatch, out, jobs } = options;
  terminal.print(json ? JSON.stringify(plans.map(planJson), null, 2) : plans.map(planText).join("\n"));
  if (sbatch !== undefined) {
    const submitted = slurmJobs(plans, options);
    await writeSlurmScripts(sbatch, submitted, { out, words: wordsOf(given) });
    terminal.say(`${slurmJobsText(submitted)}\nnext: ${shellWord(join(sbatch, "submit.sh"))}`);
  }
  if (jobs > 1) terminal.say(jobsText(planJobs(plans, options, terminal)));
}

/** @throws {InputError} for options that contradict `--devices` */
function checkDevices(given: Command): void {
  for (const name of ["device", "shard", "untilWidth", "plan", "sbatch", "positionScores", "jobs"]) {
    if (given.getOptionValueSource(name) !== "cli") continue;
    const option = given.options.find((each) => each.attributeName() === name);
    throw new InputError(`${option?.long ?? name} and --devices cannot be combined`, {
      hint: "--devices starts a process for each device, which runs one shard",
    });
  }
}

/** Merges a run whose shards are done and prints its results. */
async function printResults(
  { out, json, addModel, protocol, jobs }: RunArguments,
  context: Context,
): Promise<void> {
  const { terminal, signal } = context;
  const folders = protocolFolders(protocol, out).map(({ folder }) => folder);
  // Jobs have merged their cells.
  const keepResults = addModel !== undefined || jobs > 1;
  for (const folder of folders) {
    using progress = showRunProgress(terminal);
    await mergeRun(folder, { keepResults, onProgress: progress.onProgress, signal });
  }
  const results = await runResults(folders);
  terminal.print(json ? JSON.stringify(results, null, 2) : resultsText(results));
  terminal.say(`next: dart-eval report ${shellWord(out)} --out report.html`);
}

/** Prints the outcome of one shard and the next step. */
function printShard(
  { out, shard, json }: RunArguments,
  outcomes: readonly ShardOutcome[],
  { terminal }: Context,
) {
  const of = `shard ${shard.index} of ${shard.count}`;
  const lines = outcomes.map(({ cell, rows, measurement }) => {
    const main = measurement === null ? "" : ` · ${headline(measurement)} on this shard`;
    return `cell ${cell} · ${of} · ${counted(rows, "row")}${main}`;
  });
  terminal.print(json ? JSON.stringify(outcomes, null, 2) : lines.join("\n"));
  terminal.say(`next: when all ${shard.count} shards are done, dart-eval merge ${shellWord(out)}`);
}

/**
 * Options of `dart-eval run` that determine rows and data, and are repeated for models that are added later.
 */
const RECORDED = [
  ...["task", "suite", "setting", "genome", "data", "protocol"],
  ...["context", "split", "limit", "untilWidth", "recipe", "weights", "seed", "precision"],
];

/** Options that the run records: those that the user gave, as typed. */
function recordedOptions(command: Command): RunCommand {
  const given = RECORDED.filter((name) => command.getOptionValueSource(name) === "cli");
  return Object.fromEntries(given.map((name) => [name, command.getOptionValue(name)]));
}

/**
 * Options for adding models to the run in a folder: those that began it, replaced by those that are given
 * now, such as the new path of a file.
 *
 * @throws {InputError} when the folder has no run, or its plan records no options and none are given
 */
async function optionsOfRun(folder: string, command: Command): Promise<RunCommand> {
  const [first] = await runFolders(folder);
  const run = await readRunRecord(first);
  if (run === undefined) throw missingRunError(folder);
  const options = { ...run.command, ...recordedOptions(command) };
  if (options.task !== undefined || options.suite !== undefined) return options;
  throw new InputError("the run does not record the options that began it", {
    place: { file: folder },
    hint: "repeat them: --task or --suite, --data, --genome, and what else was given",
  });
}
