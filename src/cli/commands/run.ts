import { join } from "node:path";
import { type Command, InvalidArgumentError, Option } from "commander";
import { InputError } from "../../base/errors.ts";
import { counted } from "../../base/message-text.ts";
import { parseDecimal } from "../../base/table.ts";
import type { Split } from "../../dna/genome/chromosome-split.ts";
import { openControls } from "../../evaluation/runs/open-controls.ts";
import { planRun } from "../../evaluation/runs/plan.ts";
import { MOST_POSITION_ROWS } from "../../evaluation/runs/position-scores.ts";
import type { Plan } from "../../evaluation/runs/request.ts";
import type { ShardOutcome } from "../../evaluation/runs/run-shard.ts";
import { parseShard, type Shard } from "../../evaluation/runs/shard.ts";
import { runResults } from "../../evaluation/runs/stored-results.ts";
import type { Model, Protocol } from "../../models/model.ts";
import { openModels } from "../../models/open-model.ts";
import type { Device } from "../../net/runtime/device.ts";
import { PRECISIONS, type Precision } from "../../net/runtime/precision.ts";
import { headline } from "../../report/leaderboard.ts";
import { optionsOfRun, recordedOptions } from "../added-models.ts";
import {
  type Context,
  type DefineCommand,
  deviceListOption,
  deviceOption,
  examples,
  shellWord,
  wholeNumberOption,
} from "../command.ts";
import { runOnDevices } from "../device-processes.ts";
import { reportHubDownload } from "../hub-download.ts";
import { openRequestedTasks, type RequestOptions } from "../requested-tasks.ts";
import { planJson, planText, runPlan, scorePositions } from "../run-plan.ts";
import { mergeWithProgress } from "../run-progress.ts";
import { protocolFolders, resultsText } from "../run-results.ts";
import {
  checkSlurmOptions,
  slurmJobs,
  slurmJobsText,
  slurmThreads,
  wordsOf,
  writeSlurmScripts,
} from "../slurm-scripts.ts";

interface RunOptions extends RequestOptions {
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
  readonly plan?: boolean;
  readonly timing: boolean;
  readonly sbatch?: string;
  readonly shards?: number;
  readonly positionScores?: number;
  readonly json?: boolean;
}

export const define: DefineCommand = (command, context) => {
  command
    .description(
      "Evaluates models on a task or a suite and stores every score. The same command resumes an interrupted run.",
    )
    .option("--task <name...>", "the task; dart-eval tasks lists them")
    .option(
      "--suite <name>",
      "several tasks: dart-eval (everything), mini (few rows, intervals of ±0.03), mini:WIDTH, or a JSON file",
    )
    .option(
      "--model <model...>",
      'a checkpoint folder, hyenadna/large-1m, kmer-markov:order=5, toy:hyenadna, probing-head-like, model.onnx, "stdio:COMMAND" or http://… of an adapter, scores.tsv, embeddings.h5, or a .js module that exports a model',
    )
    .option(
      "--add-model <model...>",
      "models to add to the run in --out, with its tasks, data, protocol and seed; other options are those of the run",
    )
    .option(
      "--controls",
      "also evaluate controls: a k-mer Markov model, motif counts, the ab initio network, and each model's untrained twin",
    )
    .option("--motifs <file>", "motifs in MEME format, for the motif counts of --controls")
    .option("--setting <name...>", "settings (default: zero-shot, or all of the suite)")
    .option("--genome <file>", "FASTA (plain or bgzip) or 2bit")
    .option(
      "--data <file...>",
      "the task's table, or name=file for a task with several inputs; for a suite, the data folder",
      [],
    )
    .requiredOption("--out <folder>", "run folder: a new one, or that of the same run to resume")
    .addOption(
      new Option(
        "--protocol <which>",
        "evaluate as the benchmark's paper describes (corrected) or as its scripts do (paper)",
      )
        .choices(["corrected", "paper", "both"])
        .default("corrected"),
    )
    .option(
      "--context <bases>",
      "bases per sequence: the flanks of each window grow, for tasks whose sequences come from a genome (default: the task's window)",
      wholeNumberOption(1),
    )
    .addOption(
      new Option("--split <name>", "chromosomes to evaluate (default: the task's own split)").choices([
        "train",
        "val",
        "test",
        "all",
      ]),
    )
    .option("--limit <rows>", "maximum number of rows, the same ones on every machine", wholeNumberOption(1))
    .option(
      "--until-width <half-width>",
      "end a cell when the 95 % interval of its main metric is no wider than ± this number; rows are scored in random order",
      halfWidthOption,
    )
    .option(
      "--recipe <name=value...>",
      "overrides of the recipe: epochs=2 trainRows=500; in a suite, for every setting that has them",
      [],
    )
    .option(
      "--weights <path>",
      "trained weights for probed, fine-tuned and ab-initio, instead of training: a file or a folder; {task}, {cell-line}, {model} and {setting} are placeholders",
    )
    .option(
      "--embeddings <where>",
      "storage of probing embeddings between epochs: memory, disk, recompute, auto (as the plan finds best), or a folder shared by runs",
      "auto",
    )
    .option("--trained <folder>", "folder of trained parameters shared by runs (default: in the run folder)")
    .option("--seed <number>", "seed of the task's random numbers", wholeNumberOption(0), 0)
    .addOption(
      new Option("--shard <i/n>", "run shard i of n")
        .argParser((text: string) => parseShard(text))
        .default({ index: 1, count: 1 }, "1/1"),
    )
    .option("--wait", "wait while another process runs the shard (default: exit with code 75)")
    .addOption(
      deviceOption(
        "device of the models; auto selects the fastest. webgpu and cuda also train; the others train on the CPU",
      ),
    )
    .option(
      "--devices <list>",
      "several devices, such as cuda:0,cuda:1: a process on each runs its share of the rows, then the run is merged",
      deviceListOption,
    )
    .addOption(
      new Option(
        "--precision <name>",
        "f32, or int8: dense layers of language models in 8-bit integers on the CPU, checked against f32 on a sample of the rows",
      )
        .choices(PRECISIONS)
        .default("f32"),
    )
    .option("--batch-size <n>", "sequences per call of the model", wholeNumberOption(1))
    .option(
      "--threads <n>",
      "CPU threads of models and of training (default: one per core)",
      wholeNumberOption(1),
    )
    .option(
      "--plan",
      "only print rows, memory, disk and time of the run; training and clustering are timed in short trials",
    )
    .option("--no-timing", "do not estimate times before the run, which takes a few calls of each model")
    .option(
      "--sbatch <folder>",
      "plan the run and write Slurm scripts for its shards, merge and report to this folder; FOLDER/submit.sh submits them",
    )
    .option(
      "--shards <n>",
      "with --sbatch: number of shards (default: of about an hour each)",
      wholeNumberOption(1),
    )
    .option(
      "--position-scores <rows>",
      `also store the log-likelihood of every base, for this number of best and of worst rows of each zero-shot cell (at most ${MOST_POSITION_ROWS}); the report draws them`,
      positionRowsOption,
    )
    .option("--json", "print the plan or the results as JSON")
    .addHelpText(
      "after",
      examples({
        "a Markov model, fitted to the training chromosomes":
          "dart-eval run --task regulatory-elements --model kmer-markov:order=5 --genome hg38.fa --data elements.tsv --out runs/markov",
        "all tasks on a few rows, with files of dart-eval data fetch":
          "dart-eval run --suite mini --data /data/dart-eval --model ./hyenadna-large-1m --out runs/mini",
        "a quick test of all settings, including training":
          "dart-eval run --suite mini --data /data/dart-eval --model ./hyenadna-large-1m --limit 50 --recipe epochs=1 trainRows=100 valRows=50 --out runs/trial",
        "one of sixteen shards, under both protocols":
          "dart-eval run --task regulatory-elements --model ./hyenadna-large-1m --protocol both --shard 3/16 --genome hg38.fa --data elements.tsv --out runs/hyenadna",
        "Slurm jobs for a run on GPUs, planned on a node of their kind":
          "srun --gres=gpu:1 dart-eval run --task regulatory-elements --model ./hyenadna-large-1m --genome hg38.fa --data elements.tsv --out runs/hyenadna --sbatch jobs",
        "a head trained on embeddings, on a few rows":
          "dart-eval run --task regulatory-elements --model ./hyenadna-large-1m --setting probed --recipe epochs=3 trainRows=500 valRows=200 --limit 200 --genome hg38.fa --data elements.tsv --out runs/probed",
        "a model with its untrained twin and a Markov model":
          "dart-eval run --task regulatory-elements --model ./hyenadna-large-1m --controls --genome hg38.fa --data elements.tsv --out runs/controlled",
        "another model on the same rows": "dart-eval run --add-model ./caduceus-ps --out runs/markov",
        "a head trained by DART-Eval, at the best epoch of its train.log":
          "dart-eval run --task regulatory-elements --model ./hyenadna-large-1m --setting probed --weights supervised_models/probed/hyenadna-large-1m-seqlen-hf --genome hg38.fa --data elements.tsv --out runs/published-head",
      }),
    )
    .action((options: RunOptions, given: Command) => run(options, given, context));
};

async function run(typed: RunOptions, given: Command, context: Context): Promise<void> {
  const { model = [], addModel = [], out } = typed;
  if ((model.length === 0) === (addModel.length === 0)) {
    throw new InputError(
      model.length === 0 ? "no model given" : "--model and --add-model exclude each other",
      {
        hint: "--model begins or resumes a run, --add-model adds to one",
      },
    );
  }
  if (typed.controls && typed.weights !== undefined) {
    throw new InputError("--controls and --weights exclude each other", {
      hint: "controls are trained by the run; train them without --weights, in a separate run",
    });
  }
  if (typed.motifs !== undefined && !typed.controls) {
    throw new InputError("--motifs is an option of --controls", { hint: "add --controls, or leave it out" });
  }
  checkSlurmOptions(typed);
  if (typed.positionScores !== undefined && (typed.shard.count > 1 || typed.sbatch !== undefined)) {
    throw new InputError("--position-scores needs all rows in one shard, without --shard and --sbatch", {
      hint: "score a part of the rows in a run of its own, with --limit",
    });
  }
  const extend = addModel.length > 0;
  const forSlurm = typed.sbatch === undefined ? {} : { threads: typed.threads ?? slurmThreads() };
  const options: RunOptions = { ...typed, ...(extend ? await optionsOfRun(out, given) : {}), ...forSlurm };
  if (options.devices !== undefined) {
    checkDevices(given);
    const threads = typed.threads === undefined ? [] : [`--threads=${typed.threads}`];
    context.resume = "Run the same command again to resume.";
    await runOnDevices(options.devices, [...wordsOf(given), ...threads], context);
    await printResults(options, context);
    return;
  }
  const outcomes = await planAndRun(options, given, context);
  if (outcomes === undefined) return;
  if (options.shard.count === 1) await printResults(options, context);
  else printShard(options, outcomes, context);
}

/**
 * Plans and runs, or prints the plan. Tables and models are closed afterwards, so that a merge has their
 * memory.
 * @returns undefined if only the plan was requested
 */
async function planAndRun(
  options: RunOptions,
  given: Command,
  context: Context,
): Promise<readonly ShardOutcome[] | undefined> {
  const { terminal, signal } = context;
  const { model = [], addModel = [], out } = options;
  const extend = addModel.length > 0;
  await using requested = await openRequestedTasks(options);
  const { genome } = requested;
  const models: Model[] = [];
  const plans: Plan[] = [];
  try {
    const { device, threads, precision } = options;
    const download = reportHubDownload(terminal);
    try {
      models.push(
        ...(await openModels([...model, ...addModel], {
          ...{ device, threads, precision, genome, signal, download },
        })),
      );
    } finally {
      download.stop();
    }
    const requestedModels = [...models];
    const { controls, notes } = options.controls
      ? await openControls(requestedModels, { device, threads, genome, signal, motifs: options.motifs })
      : { controls: [], notes: [] };
    models.push(...controls.map(({ model }) => model));
    const request = requested.request(requestedModels);
    for (const { protocol, folder } of protocolFolders(options.protocol, options.out)) {
      const { context: bases, split, untilWidth, batchSize, weights, embeddings, trained } = options;
      plans.push(
        await planRun({
          ...request,
          models: requestedModels,
          controls,
          protocol,
          seed: options.seed,
          folder,
          ...(extend ? { extend } : { command: recordedOptions(given) }),
          shard: options.shard,
          device,
          signal,
          earlier: [...plans],
          timeTraining: (options.plan === true || options.sbatch !== undefined) && options.timing,
          ...(options.timing ? {} : { timing: false }),
          ...(bases === undefined ? {} : { context: bases }),
          ...(untilWidth === undefined ? {} : { untilWidth }),
          ...(split === undefined ? {} : { split }),
          ...(batchSize === undefined ? {} : { batchSize }),
          ...(threads === undefined ? {} : { threads }),
          ...(weights === undefined ? {} : { weights }),
          ...(embeddings === undefined ? {} : { embeddings }),
          ...(trained === undefined ? {} : { trained }),
        }),
      );
    }
    for (const note of [...requested.notes, ...notes]) terminal.say(`note: ${note}`);
    if (options.plan || options.sbatch !== undefined) {
      const text = options.json
        ? JSON.stringify(plans.map(planJson), null, 2)
        : plans.map(planText).join("\n");
      terminal.print(text);
      if (options.sbatch !== undefined) {
        const jobs = slurmJobs(plans, options);
        await writeSlurmScripts(options.sbatch, jobs, { out, words: wordsOf(given) });
        terminal.say(`${slurmJobsText(jobs)}\nnext: ${shellWord(join(options.sbatch, "submit.sh"))}`);
      }
      return undefined;
    }
    const outcomes: ShardOutcome[] = [];
    for (const plan of plans) outcomes.push(...(await runPlan(plan, context, options)));
    if (options.positionScores !== undefined) await scorePositions(plans, options.positionScores, context);
    return outcomes;
  } finally {
    for (const plan of plans) await plan.close();
    for (const model of models) await model.close?.();
  }
}

function positionRowsOption(text: string): number {
  const rows = wholeNumberOption(1)(text);
  if (rows > MOST_POSITION_ROWS) {
    throw new InvalidArgumentError(`Expected a number of rows, at most ${MOST_POSITION_ROWS}.`);
  }
  return rows;
}

/** @throws {InputError} for options that contradict `--devices` */
function checkDevices(given: Command): void {
  for (const name of ["device", "shard", "untilWidth", "plan", "sbatch", "positionScores"]) {
    if (given.getOptionValueSource(name) !== "cli") continue;
    const option = given.options.find((each) => each.attributeName() === name);
    throw new InputError(`${option?.long ?? name} and --devices exclude each other`, {
      hint: "--devices starts a process for each device, which runs one shard",
    });
  }
}

/** Merges a run whose shards are done and prints its results. */
async function printResults({ out, json, addModel, protocol }: RunOptions, context: Context) {
  const { terminal } = context;
  const folders = protocolFolders(protocol, out).map(({ folder }) => folder);
  for (const folder of folders) await mergeWithProgress(folder, context, addModel !== undefined);
  const results = await runResults(folders);
  terminal.print(json ? JSON.stringify(results, null, 2) : resultsText(results));
  terminal.say(`next: dart-eval report ${shellWord(out)} --out report.html`);
}

/** Prints the outcome of one shard and the next step. */
function printShard(
  { out, shard, json }: RunOptions,
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

function halfWidthOption(text: string): number {
  const value = parseDecimal(text);
  if (value > 0 && value < 1) return value;
  throw new InvalidArgumentError("Expected a number between 0 and 1, such as 0.01.");
}
