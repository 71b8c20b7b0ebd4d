import { Option } from "commander";
import { counted } from "../../base/message-text.ts";
import type { Split } from "../../dna/genome/chromosome-split.ts";
import { planRun } from "../../evaluation/runs/plan.ts";
import type { Plan } from "../../evaluation/runs/request.ts";
import type { ShardOutcome } from "../../evaluation/runs/run-shard.ts";
import { parseShard, type Shard } from "../../evaluation/runs/shard.ts";
import type { Model, Protocol } from "../../models/model.ts";
import { openModels } from "../../models/open-model.ts";
import { DEVICES, type Device } from "../../net/runtime/device.ts";
import { headline } from "../../report/leaderboard.ts";
import { runResults } from "../../report/write-report.ts";
import { type Context, type DefineCommand, examples, shellWord, wholeNumberOption } from "../command.ts";
import { openRequestedTasks, type RequestOptions } from "../requested-tasks.ts";
import { planJson, planText, runPlan } from "../run-plan.ts";
import { mergeWithProgress } from "../run-progress.ts";
import { protocolFolders, resultsText } from "../run-results.ts";

interface RunOptions extends RequestOptions {
  readonly model: readonly string[];
  readonly protocol: Protocol | "both";
  readonly out: string;
  readonly split?: Split;
  readonly recipe: readonly string[];
  readonly weights?: string;
  readonly embeddings?: string;
  readonly trained?: string;
  readonly seed: number;
  readonly shard: Shard;
  readonly device: Device;
  readonly batchSize?: number;
  readonly threads?: number;
  readonly plan?: boolean;
  readonly timing: boolean;
  readonly json?: boolean;
}

export const define: DefineCommand = (command, context) => {
  command
    .description(
      "Asks models a task's question and keeps every answer. The same command goes on where an earlier one stopped.",
    )
    .option("--task <name...>", "what is asked; dart-eval tasks lists them")
    .option(
      "--suite <name>",
      "several tasks at once: dart-eval (everything), mini (few rows, intervals of ±0.03), mini:WIDTH, or a JSON file",
    )
    .requiredOption(
      "--model <model...>",
      'a checkpoint\'s folder, kmer-markov:order=5, toy:hyenadna, probing-head-like, model.onnx, "stdio:COMMAND" or http://… of an adapter, scores.tsv, embeddings.h5, or a .js module that exports a model',
    )
    .option("--setting <name...>", "how the models answer; zero-shot, or all of the suite's")
    .option("--genome <file>", "FASTA (plain or bgzip) or 2bit")
    .option(
      "--data <file...>",
      "the task's table, name=file where it takes several; of a suite, the data folder",
      [],
    )
    .requiredOption("--out <folder>", "where the run is kept: a new folder, or that of the same run")
    .addOption(
      new Option("--protocol <which>", "count as the benchmark's paper says, or as its scripts do")
        .choices(["corrected", "paper", "both"])
        .default("corrected"),
    )
    .addOption(
      new Option("--split <name>", "which chromosomes; without it, the task's own choice").choices([
        "train",
        "val",
        "test",
        "all",
      ]),
    )
    .option("--limit <rows>", "at most so many rows, the same ones on every machine", wholeNumberOption(1))
    .option(
      "--recipe <name=value...>",
      "values of a trained setting in place of the benchmark's: epochs=2 trainRows=500; of a suite, in every setting that has them",
      [],
    )
    .option(
      "--weights <path>",
      "trained weights that probed, fine-tuned and ab-initio evaluate instead of training: a file, or a folder with the checkpoint to choose; {task}, {cell-line}, {model} and {setting} stand for the cell's own",
    )
    .option(
      "--embeddings <folder>",
      "folder of probing embeddings, shared by runs; default: in memory if they are few, else in the run's folder",
    )
    .option(
      "--trained <folder>",
      "where trained heads, adapters and networks are kept, to be shared by runs; without it, in the run's folder",
    )
    .option("--seed <number>", "seed of the task's random numbers", wholeNumberOption(0), 0)
    .addOption(
      new Option("--shard <i/n>", "do the i-th of n parts")
        .argParser((text: string) => parseShard(text))
        .default({ index: 1, count: 1 }, "1/1"),
    )
    .addOption(
      new Option(
        "--device <device>",
        "where a model computes; auto takes the fastest there is. What is trained is trained on the processor",
      )
        .choices(DEVICES)
        .default("auto"),
    )
    .option("--batch-size <n>", "sequences per call of the model", wholeNumberOption(1))
    .option(
      "--threads <n>",
      "CPU threads of models and of training; default: one per core",
      wholeNumberOption(1),
    )
    .option(
      "--plan",
      "print rows, memory and time of what would be done, and do nothing; training is timed on a few rows",
    )
    .option("--no-timing", "with --plan: leave times out, so that no model is run")
    .option("--json", "print plan or results as JSON")
    .addHelpText(
      "after",
      examples({
        "a Markov model, fitted on the spot to the training chromosomes":
          "dart-eval run --task regulatory-elements --model kmer-markov:order=5 --genome hg38.fa --data elements.tsv --out runs/markov",
        "every task on a few rows, of what dart-eval data fetched":
          "dart-eval run --suite mini --data /data/dart-eval --model ./hyenadna-large-1m --out runs/mini",
        "a quick trial of everything, trained settings included":
          "dart-eval run --suite mini --data /data/dart-eval --model ./hyenadna-large-1m --limit 50 --recipe epochs=1 trainRows=100 valRows=50 --out runs/trial",
        "a checkpoint, counted both ways, one of sixteen parts":
          "dart-eval run --task regulatory-elements --model ./hyenadna-large-1m --protocol both --shard 3/16 --genome hg38.fa --data elements.tsv --out runs/hyenadna",
        "a head trained on a checkpoint's embeddings, with a few rows, to try it":
          "dart-eval run --task regulatory-elements --model ./hyenadna-large-1m --setting probed --recipe epochs=3 trainRows=500 valRows=200 --limit 200 --genome hg38.fa --data elements.tsv --out runs/probed",
        "a head that DART-Eval trained, at the best epoch of its train.log":
          "dart-eval run --task regulatory-elements --model ./hyenadna-large-1m --setting probed --weights supervised_models/probed/hyenadna-large-1m-seqlen-hf --genome hg38.fa --data elements.tsv --out runs/published-head",
      }),
    )
    .action((options: RunOptions) => run(options, context));
};

async function run(options: RunOptions, context: Context): Promise<void> {
  const { terminal, signal } = context;
  await using asked = await openRequestedTasks(options);
  const { genome } = asked;
  const models: Model[] = [];
  const plans: Plan[] = [];
  try {
    const { device, threads } = options;
    models.push(...(await openModels(options.model, { device, threads, genome, signal })));
    const request = asked.request(models);
    for (const { protocol, folder } of protocolFolders(options.protocol, options.out)) {
      const { split, batchSize, weights, embeddings, trained } = options;
      plans.push(
        await planRun({
          ...request,
          models,
          protocol,
          seed: options.seed,
          folder,
          shard: options.shard,
          signal,
          earlier: [...plans],
          timeTraining: options.plan === true && options.timing,
          ...(options.timing ? {} : { timing: false }),
          ...(split === undefined ? {} : { split }),
          ...(batchSize === undefined ? {} : { batchSize }),
          ...(threads === undefined ? {} : { threads }),
          ...(weights === undefined ? {} : { weights }),
          ...(embeddings === undefined ? {} : { embeddings }),
          ...(trained === undefined ? {} : { trained }),
        }),
      );
    }
    for (const note of asked.notes) terminal.say(`note: ${note}`);
    if (options.plan) {
      const text = options.json
        ? JSON.stringify(plans.map(planJson), null, 2)
        : plans.map(planText).join("\n");
      return terminal.print(text);
    }
    const outcomes: ShardOutcome[] = [];
    for (const plan of plans) outcomes.push(...(await runPlan(plan, context)));
    if (options.shard.count === 1) await printResults(options, plans, context);
    else printShard(options, outcomes, context);
  } finally {
    for (const plan of plans) await plan.close();
    for (const model of models) await model.close?.();
  }
}

/** The whole was done here: merged at once. */
async function printResults({ out, json }: RunOptions, plans: readonly Plan[], context: Context) {
  const { terminal } = context;
  const folders = plans.map(({ folder }) => folder!);
  for (const folder of folders) await mergeWithProgress(folder, context);
  const results = await runResults(folders);
  terminal.print(json ? JSON.stringify(results, null, 2) : resultsText(results));
  terminal.say(`next: dart-eval report ${shellWord(out)} --out report.html`);
}

/** A part was done here: what it came to, and what comes after the last part. */
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
