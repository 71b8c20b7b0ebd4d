import { join } from "node:path";
import { InternalError } from "../../base/errors.ts";
import { kindOfPath } from "../../base/folder.ts";
import { writeFileAtomic } from "../../base/write-file.ts";
import { readBackgrounds } from "../../datasets/motif-footprinting/backgrounds.ts";
import { writeFootprints } from "../../datasets/motif-footprinting/footprint-file.ts";
import { buildFootprints } from "../../datasets/motif-footprinting/footprints.ts";
import { checkPlantedSignals, plantedSignalsTable } from "../../demo/planted-signals.ts";
import { changedRecipes, DEMO_RUNS, type DemoFiles, type DemoRun, quickRuns } from "../../demo/runs.ts";
import { SITE_NETWORK, siteNetwork } from "../../demo/site-network.ts";
import { filesIn } from "../../demo/synthetic/files.ts";
import { writeSyntheticGenome } from "../../demo/synthetic/write.ts";
import { type Genome, openGenome } from "../../dna/genome/genome.ts";
import { readMotifs } from "../../dna/motifs/meme.ts";
import { planRun } from "../../evaluation/runs/plan.ts";
import type { Plan } from "../../evaluation/runs/request.ts";
import type { StoredResult } from "../../evaluation/runs/result.ts";
import { TASKS } from "../../evaluation/tasks/catalogue.ts";
import type { Model } from "../../models/model.ts";
import { openModel } from "../../models/open-model.ts";
import { readPageAssets, renderPage } from "../../report/page.ts";
import { gatherReport } from "../../report/report.ts";
import { plainTable } from "../../report/table.ts";
import { runResults } from "../../report/write-report.ts";
import { type Context, type DefineCommand, examples } from "../command.ts";
import { runPlan } from "../run-plan.ts";
import { mergeWithProgress } from "../run-progress.ts";
import { protocolFolders, resultsText } from "../run-results.ts";

interface DemoOptions {
  readonly out: string;
  readonly quick?: boolean;
  readonly json?: boolean;
}

export const define: DefineCommand = (command, context) => {
  command
    .description(
      "Makes a small synthetic genome and asks small trained models and baselines about it, in every setting; prints the tables, whether what was planted is found, and writes the report. Needs no download. Trainings are far shorter than the benchmark's.",
    )
    .option("--out <folder>", "where genome, answers and report are put", "dart-eval-demo")
    .option("--quick", "a few rows of a few questions")
    .option("--json", "print results and checks as JSON")
    .addHelpText(
      "after",
      examples({ "see what comes out": "dart-eval demo", "in a minute": "dart-eval demo --quick" }),
    )
    .action((options: DemoOptions) => demo(options, context));
};

async function demo({ out, quick = false, json }: DemoOptions, context: Context): Promise<void> {
  const { terminal } = context;
  const files = await demoFiles(out, context);
  const questions = quick ? quickRuns(DEMO_RUNS) : DEMO_RUNS;
  const results = await answers(questions, files, join(out, quick ? "quick-run" : "run"), context);

  const page = join(out, quick ? "quick-report.html" : "report.html");
  const title = "dart-eval on a synthetic regulatory genome";
  const report = await gatherReport(results, { tasks: TASKS, title });
  await writeFileAtomic(page, renderPage(report, await readPageAssets()));

  // What a few rows can show is less than what was planted.
  const truths = quick ? [] : checkPlantedSignals(results);
  if (json) terminal.print(JSON.stringify({ results, truths }, null, 2));
  else {
    terminal.print(resultsText(results));
    if (truths.length > 0) terminal.print(`\n${plainTable(plantedSignalsTable(truths))}`);
  }
  terminal.say(`\nreport: ${page}`);
  const missed = truths.filter(({ holds }) => !holds);
  if (missed.length > 0) {
    const which = missed.map(({ truth: { task, setting, model } }) => `${task}, ${setting}, ${model}`);
    throw new InternalError(
      `${missed.length} of ${truths.length} planted truths were not found: ${which.join("; ")}`,
    );
  }
}

/** Written once; equal on every machine. */
async function demoFiles(out: string, { terminal }: Context): Promise<DemoFiles> {
  const folder = join(out, "genome");
  const files = { ...filesIn(folder), footprints: join(out, "footprints.tsv") };
  if ((await kindOfPath(files.truth)) !== "file") {
    terminal.say(`writing a synthetic genome to ${folder}`);
    await writeSyntheticGenome(folder, { seed: 0, scale: 1 });
  }
  if ((await kindOfPath(files.footprints)) !== "file") {
    const { motifs } = await readMotifs(files.motifs);
    const backgrounds = await readBackgrounds(files.backgrounds);
    await writeFootprints(files.footprints, buildFootprints(backgrounds, motifs, { seed: 0 }));
  }
  return files;
}

async function demoModel(
  spec: string,
  { motifs }: DemoFiles,
  genome: Genome,
  { signal }: Context,
): Promise<Model> {
  if (spec === SITE_NETWORK) return siteNetwork((await readMotifs(motifs)).motifs);
  return openModel(spec, { device: "cpu", genome, signal });
}

/** Asks all questions under the corrected protocol, then some under the paper's; what a stopped demo had finished is kept. */
async function answers(
  questions: readonly DemoRun[],
  files: DemoFiles,
  folder: string,
  context: Context,
): Promise<readonly StoredResult[]> {
  await using genome = await openGenome(files.genome);
  const models = new Map<string, Model>();
  const plans: Plan[] = [];
  try {
    for (const spec of questions.flatMap((question) => question.models)) {
      if (models.has(spec)) continue;
      models.set(spec, await demoModel(spec, files, genome, context));
    }
    for (const { protocol, folder: run } of protocolFolders("both", folder)) {
      const asked = questions.filter(({ both }) => protocol === "corrected" || both);
      plans.push(
        await planRun({
          tasks: asked.map(({ task, inputs, setting, models: specs, rows, recipe }) => ({
            task,
            inputs: { genome, ...inputs(files) },
            settings: [setting],
            models: specs.map((spec) => models.get(spec)!),
            ...(rows === undefined ? {} : { limit: rows }),
            ...(recipe === undefined ? {} : { recipe }),
          })),
          models: [...models.values()],
          protocol,
          folder: run,
          embeddings: join(folder, "embeddings"),
          earlier: [...plans],
          timing: false,
          signal: context.signal,
        }),
      );
    }
    context.terminal.say(
      `made far smaller than the benchmark has it, to show that it runs and not what a model is worth:\n  ${changedRecipes(questions).join("\n  ")}`,
    );
    for (const plan of plans) {
      await runPlan(plan, context);
      await mergeWithProgress(plan.folder!, context);
    }
  } finally {
    for (const plan of plans) await plan.close();
    for (const model of models.values()) await model.close?.();
  }
  return runResults(plans.map((plan) => plan.folder!));
}
