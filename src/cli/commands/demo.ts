import { availableParallelism } from "node:os";
import { join } from "node:path";
import { InternalError } from "../../base/errors.ts";
import { kindOfPath } from "../../base/folder.ts";
import { valueAt, withoutUndefined } from "../../base/record.ts";
import { writeFileAtomic } from "../../base/write-file.ts";
import { DEMO_RUNS, DEMO_TASKS, PLANTED_SIGNALS } from "../../demo/catalogue.ts";
import { checkPlantedSignals, plantedSignalsTable } from "../../demo/planted-signals.ts";
import { changedRecipes, type DemoFiles, type DemoRun, quickRuns } from "../../demo/runs.ts";
import { SITE_NETWORK, siteNetwork } from "../../demo/site-network.ts";
import { filesIn } from "../../demo/synthetic/files.ts";
import { writeSyntheticGenome } from "../../demo/synthetic/write.ts";
import { type Genome, openGenome } from "../../dna/genome/genome.ts";
import { readMotifs } from "../../dna/motifs/meme.ts";
import { mergeRun } from "../../evaluation/runs/merge.ts";
import { planRun } from "../../evaluation/runs/plan.ts";
import type { Plan } from "../../evaluation/runs/request.ts";
import type { StoredResult } from "../../evaluation/runs/stored-results.ts";
import { runResults } from "../../evaluation/runs/stored-results.ts";
import type { Model } from "../../models/model.ts";
import { openModel } from "../../models/open-model.ts";
import { plainTable } from "../../report/table.ts";
import { reportText } from "../../report/write-report.ts";
import { type Context, type DefineCommand, examples, wholeNumberOption } from "../command.ts";
import { runJobs } from "../jobs.ts";
import { runPlans } from "../run-plans.ts";
import { protocolFolders, resultsText, showRunProgress } from "../run-progress.ts";

interface DemoOptions {
  readonly out: string;
  readonly quick?: boolean;
  readonly jobs?: number;
  readonly json?: boolean;
}

export const defineDemo: DefineCommand = (command, context) => {
  command
    .description(
      "Writes a small synthetic genome with planted signals, evaluates small trained models and baselines on it in every setting, prints the results and whether each signal is recovered, and writes the report. Takes a minute or two and needs no download. Training is far shorter than in the benchmark.",
    )
    .option("--out <folder>", "output folder for genome, runs and report", "dart-eval-demo")
    .option("--quick", "few rows of a few tasks and settings, without the check of planted signals")
    .option(
      "--jobs <n>",
      "processes that run at the same time (default: one per core, at most 4; with --quick 1)",
      wholeNumberOption(1),
    )
    .option("--json", "print results and checks as JSON")
    .addHelpText(
      "after",
      examples({ everything: "dart-eval demo", "the short form": "dart-eval demo --quick" }),
    )
    .action((options: DemoOptions) => demo(options, context));
};

async function demo(
  { out, quick = false, jobs = quick ? 1 : defaultJobs(), json }: DemoOptions,
  context: Context,
): Promise<void> {
  const { terminal } = context;
  const files = await demoFiles(out, context);
  const runs = quick ? quickRuns(DEMO_RUNS) : DEMO_RUNS;
  const results = await runAll(
    runs,
    files,
    { folder: join(out, quick ? "quick-run" : "run"), jobs },
    context,
  );
  if (results === undefined) return;

  const page = join(out, quick ? "quick-report.html" : "report.html");
  const title = "dart-eval on a synthetic regulatory genome";
  // The few rows of --quick have no motifs.
  const logos = quick ? {} : { motifs: files.motifs };
  await writeFileAtomic(page, await reportText(results, "html", { title, ...logos }));

  // The few rows of --quick do not suffice to recover the planted signals.
  const signals = quick ? [] : checkPlantedSignals(results, PLANTED_SIGNALS);
  if (json) terminal.print(JSON.stringify({ results, signals }, null, 2));
  else {
    terminal.print(resultsText(results));
    if (signals.length > 0) terminal.print(`\n${plainTable(plantedSignalsTable(signals))}`);
  }
  terminal.say(`\nreport: ${page}`);
  const missed = signals.filter(({ recovered }) => !recovered);
  if (missed.length > 0) {
    const which = missed.map(({ signal: { task, setting, model } }) => `${task}, ${setting}, ${model}`);
    throw new InternalError(
      `${missed.length} of ${signals.length} planted signals were not recovered: ${which.join("; ")}`,
    );
  }
}

/** Writes the demo's files unless they exist; the bytes are the same on every machine. */
async function demoFiles(out: string, { terminal }: Context): Promise<DemoFiles> {
  const folder = join(out, "genome");
  const files = { ...filesIn(folder), footprints: join(out, "footprints.tsv") };
  if ((await kindOfPath(files.truth)) !== "file") {
    terminal.say(`writing a synthetic genome to ${folder}`);
    await writeSyntheticGenome(folder, { seed: 0, scale: 1 });
  }
  for (const { build } of DEMO_TASKS) await build?.(files);
  return files;
}

/** Default number of processes; more than four wait for the longest cells. */
const defaultJobs = () => Math.min(4, availableParallelism());

/** Toy models are too small for several threads, which mostly wait for one another. */
const THREADS = 1;

/** Number of best rows, and of worst rows, whose bases are scored. */
const POSITION_ROWS = 3;

async function demoModel(
  spec: string,
  { motifs }: DemoFiles,
  genome: Genome,
  { signal }: Context,
): Promise<Model> {
  if (spec === SITE_NETWORK) return siteNetwork((await readMotifs(motifs)).motifs);
  return openModel(spec, { device: "cpu", threads: THREADS, genome, signal });
}

/**
 * Runs everything under the corrected protocol and some of it under the paper's; an interrupted demo resumes.
 * @returns undefined in a job
 */
async function runAll(
  runs: readonly DemoRun[],
  files: DemoFiles,
  to: { readonly folder: string; readonly jobs: number },
  context: Context,
): Promise<readonly StoredResult[] | undefined> {
  const { terminal, signal } = context;
  const ran = await planAndRun(runs, files, to, context);
  if (ran === undefined) return undefined;
  if ("groups" in ran) await runJobs(ran, context);
  const folders = protocolFolders("both", to.folder).map(({ folder }) => folder);
  for (const folder of folders) {
    using progress = showRunProgress(terminal);
    // Jobs have merged their cells.
    await mergeRun(folder, { keepResults: to.jobs > 1, onProgress: progress.onProgress, signal });
  }
  return runResults(folders);
}

/** Plans and runs as `runPlans`, and closes everything that was opened. */
async function planAndRun(
  runs: readonly DemoRun[],
  files: DemoFiles,
  { folder, jobs }: { readonly folder: string; readonly jobs: number },
  context: Context,
): ReturnType<typeof runPlans> {
  await using genome = await openGenome(files.genome);
  const models = new Map<string, Model>();
  const plans: Plan[] = [];
  try {
    for (const spec of runs.flatMap((run) => run.models)) {
      if (models.has(spec)) continue;
      models.set(spec, await demoModel(spec, files, genome, context));
    }
    for (const { protocol, folder: runFolder } of protocolFolders("both", folder)) {
      const requested = runs.filter(({ both }) => protocol === "corrected" || both);
      plans.push(
        await planRun({
          tasks: requested.map(({ task, inputs, setting, models: specs, rows, recipe }) => ({
            task,
            inputs: { genome, ...inputs(files) },
            settings: [setting],
            models: specs.map((spec) => valueAt(models, spec)),
            ...withoutUndefined({ limit: rows, recipe }),
          })),
          models: [...models.values()],
          protocol,
          folder: runFolder,
          embeddings: join(folder, "embeddings"),
          earlier: [...plans],
          timing: false,
          threads: THREADS,
          signal: context.signal,
        }),
      );
    }
    if (context.job === undefined) {
      context.terminal.say(
        `recipes are far smaller than the benchmark's, so these metrics do not measure the models:\n  ${changedRecipes(runs).join("\n  ")}`,
      );
    }
    return await runPlans(plans, { jobs, threads: THREADS, positionScores: POSITION_ROWS }, context);
  } finally {
    for (const plan of plans) await plan.close();
    for (const model of models.values()) await model.close?.();
  }
}
