import { type Command, InvalidArgumentError, Option } from "commander";
import { parseDecimal } from "../../base/table.ts";
import { parseShard } from "../../evaluation/runs/shard.ts";
import { PRECISIONS, type Precision } from "../../net/runtime/precision.ts";
import {
  type DefineCommand,
  deviceListOption,
  deviceOption,
  examples,
  wholeNumberOption,
} from "../command.ts";
import type { RunArguments } from "../run.ts";

/** Largest number of rows of either kind whose bases are scored. */
const MAX_POSITION_ROWS = 50;

export const defineRun: DefineCommand = (command, context) => {
  command
    .description(
      "Evaluates models on a task or a suite, stores every score and prints the metrics. The same command resumes an interrupted run.",
    )
    .optionsGroup("Tasks, data and models:")
    .option("--task <name...>", "task; dart-eval tasks lists them")
    .option(
      "--suite <name>",
      "several tasks: dart-eval (everything), mini (a sample of rows, intervals of ±0.03), mini:WIDTH, or a JSON file",
    )
    .option(
      "--setting <name...>",
      "settings (default: the task's first, as `dart-eval tasks` lists them; with --suite all of its settings)",
    )
    .option("--genome <file>", "reference genome: FASTA (plain or bgzip) or 2bit")
    .option(
      "--data <file...>",
      "the task's table, or name=file for a task with several inputs; for a suite, the data folder",
      [],
    )
    .option(
      "--model <model...>",
      'a name such as hyenadna/large-1m, toy:hyenadna or kmer-markov:order=5 (dart-eval models list), a checkpoint folder, hf:ORG/NAME, model.onnx, "stdio:COMMAND" or http://… of an adapter, scores.tsv, embeddings.h5, or a .js or .ts module that exports a model',
    )
    .option(
      "--add-model <model...>",
      "models to add to the run in --out, with its tasks, data, protocol and seed; other options are those of the run",
    )
    .option(
      "--controls",
      "also evaluate controls: a k-mer Markov model, motif counts, a network trained from scratch, and each model's untrained twin",
    )
    .option("--motifs <file>", "motifs in MEME format, for the motif counts of --controls")
    .requiredOption("--out <folder>", "run folder: a new one, or that of the same run to resume it")
    .optionsGroup("Rows:")
    .addOption(
      new Option("--split <name>", "chromosomes to evaluate, if not those of the task's own split").choices([
        "train",
        "val",
        "test",
        "all",
      ]),
    )
    .option("--limit <rows>", "maximum number of rows, the same ones on every machine", wholeNumberOption(1))
    .option(
      "--until-width <half-width>",
      "end a cell when the 95 % interval of its main metric is no wider than ± this number, such as 0.01; rows are scored in random order",
      halfWidthOption,
    )
    .optionsGroup("Method:")
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
    .option(
      "--recipe <name=value...>",
      "overrides of the recipe: epochs=2 trainRows=500; in a suite, for every setting that has them",
      [],
    )
    .option(
      "--weights <path>",
      "trained weights for probed, fine-tuned and ab-initio, instead of training: a file or a folder; {task}, {cell-line}, {model} and {setting} are placeholders",
    )
    .option("--seed <number>", "seed of the task's random numbers", wholeNumberOption(0), 0)
    .optionsGroup("Machine:")
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
        "f32; f16 on webgpu and cuda or int8 on the CPU: dense layers of language models in 16-bit floats or 8-bit integers, checked against f32 on a sample of the rows",
      )
        .choices(PRECISIONS)
        .argParser(precisionOption)
        .default("f32"),
    )
    .option(
      "--threads <n>",
      "CPU threads of models and of training (default: one per core)",
      wholeNumberOption(1),
    )
    .option(
      "--jobs <n>",
      "processes on this machine, which run cells at the same time with the same results; each has its share of the threads",
      wholeNumberOption(1),
      1,
    )
    .option("--batch-size <n>", "sequences per call of the model", wholeNumberOption(1))
    .optionsGroup("Training:")
    .option(
      "--embeddings <where>",
      "storage of probing embeddings between epochs: memory, disk, recompute, auto (as the plan finds best), or a folder shared by runs",
      "auto",
    )
    .option("--trained <folder>", "folder of trained parameters shared by runs (default: in the run folder)")
    .optionsGroup("Shards:")
    .addOption(
      new Option("--shard <i/n>", "run shard i of n")
        .argParser((text: string) => parseShard(text))
        .default({ index: 1, count: 1 }, "1/1"),
    )
    .option("--wait", "wait while another process runs the shard, instead of exiting with code 75")
    .option(
      "--sbatch <folder>",
      "plan the run and write Slurm scripts for its shards, merge and report to this folder; FOLDER/submit.sh submits them",
    )
    .option(
      "--shards <n>",
      "with --sbatch: number of shards (default: of about an hour each)",
      wholeNumberOption(1),
    )
    .optionsGroup("Output:")
    .option(
      "--plan",
      "print rows, memory, disk and time of the run without starting it; training and clustering are timed in short trials",
    )
    .option("--no-timing", "skip the estimate of times before the run, which calls each model a few times")
    .option(
      "--position-scores <rows>",
      `also store the log-likelihood of every base of this many best and worst rows of each zero-shot cell (at most ${MAX_POSITION_ROWS}); the report draws them`,
      positionRowsOption,
    )
    .option("--json", "print the plan or the results as JSON")
    .addHelpText(
      "after",
      examples({
        "a Markov model, fitted to the training chromosomes":
          "dart-eval run --task regulatory-elements --model kmer-markov:order=5 --genome hg38.fa --data elements.tsv --out runs/markov",
        "all tasks on a few rows, with files of dart-eval data fetch":
          "dart-eval run --suite mini --data /data/dart-eval --model hyenadna/large-1m --out runs/mini",
        "a quick test of all settings, including training":
          "dart-eval run --suite mini --data /data/dart-eval --model hyenadna/large-1m --limit 50 --recipe epochs=1 trainRows=100 valRows=50 --out runs/trial",
        "one of sixteen shards, under both protocols":
          "dart-eval run --task regulatory-elements --model hyenadna/large-1m --protocol both --shard 3/16 --genome hg38.fa --data elements.tsv --out runs/hyenadna",
        "Slurm jobs for a run on GPUs, planned on a node of their kind":
          "srun --gres=gpu:1 dart-eval run --task regulatory-elements --model hyenadna/large-1m --genome hg38.fa --data elements.tsv --out runs/hyenadna --sbatch jobs",
        "a head trained on embeddings, on a few rows":
          "dart-eval run --task regulatory-elements --model hyenadna/large-1m --setting probed --recipe epochs=3 trainRows=500 valRows=200 --limit 200 --genome hg38.fa --data elements.tsv --out runs/probed",
        "a model with its untrained twin and a Markov model":
          "dart-eval run --task regulatory-elements --model hyenadna/large-1m --controls --genome hg38.fa --data elements.tsv --out runs/controlled",
        "another model on the same rows": "dart-eval run --add-model ./caduceus-ps --out runs/markov",
        "a head trained by DART-Eval, at the best epoch of its train.log":
          "dart-eval run --task regulatory-elements --model hyenadna/large-1m --setting probed --weights supervised_models/probed/hyenadna-large-1m-seqlen-hf --genome hg38.fa --data elements.tsv --out runs/published-head",
      }),
    )
    .action(async (options: RunArguments, given: Command) => {
      const { run } = await import("../run.ts");
      await run(options, given, context);
    });
};

function positionRowsOption(text: string): number {
  const rows = wholeNumberOption(1)(text);
  if (rows > MAX_POSITION_ROWS) {
    throw new InvalidArgumentError(`Expected a number of rows, at most ${MAX_POSITION_ROWS}.`);
  }
  return rows;
}

function halfWidthOption(text: string): number {
  const value = parseDecimal(text);
  if (value > 0 && value < 1) return value;
  throw new InvalidArgumentError("Expected a number between 0 and 1, such as 0.01.");
}

function precisionOption(text: string): Precision {
  const known = PRECISIONS.find((each) => each === text);
  if (known !== undefined) return known;
  throw new InvalidArgumentError(`Expected ${PRECISIONS.slice(0, -1).join(", ")} or ${PRECISIONS.at(-1)}.`);
}
