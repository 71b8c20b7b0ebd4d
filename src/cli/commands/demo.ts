import { join } from "node:path";
import { kindOfPath } from "../../base/folder.ts";
import { writeFileWhole } from "../../base/write-file.ts";
import { openGenome } from "../../dna/genome/genome.ts";
import { filesIn, type SyntheticFiles } from "../../evaluation/datasets/synthetic/files.ts";
import { writeSyntheticGenome } from "../../evaluation/datasets/synthetic/write.ts";
import { mergeRun } from "../../evaluation/runs/merge.ts";
import { planRun } from "../../evaluation/runs/plan.ts";
import { TASKS } from "../../evaluation/tasks/catalogue.ts";
import { CHROMOSOME_SPLIT } from "../../evaluation/tasks/split.ts";
import { languageModelCard } from "../../models/catalogue.ts";
import { initCheckpoint } from "../../models/init.ts";
import type { Model } from "../../models/model.ts";
import { openModel } from "../../models/open-model.ts";
import { renderPage } from "../../report/page.ts";
import { readPageAssets } from "../../report/page-assets.ts";
import { gatherReport } from "../../report/report.ts";
import { type Context, type DefineCommand, examples } from "../command.ts";
import { resultsOf, resultsText } from "../results-text.ts";
import { protocolFolders } from "../run-folders.ts";
import { runPlan } from "../run-plan.ts";

interface DemoOptions {
  readonly out: string;
  readonly quick?: boolean;
  readonly json?: boolean;
}

/** Pairs asked for with `--quick`. */
const FEW = 60;

export const define: DefineCommand = (command, context) => {
  command
    .description(
      "Makes a small synthetic genome, asks Markov models and an untrained HyenaDNA whether they tell its regulatory elements from shuffled ones, prints the table and writes the report. Needs no download.",
    )
    .option("--out <folder>", "where genome, models, answers and report are put", "dart-eval-demo")
    .option("--quick", `ask for ${FEW} pairs only`)
    .option("--json", "print the results as JSON")
    .addHelpText(
      "after",
      examples({ "see what comes out": "dart-eval demo", "in seconds": "dart-eval demo --quick" }),
    )
    .action((options: DemoOptions) => demo(options, context));
};

async function demo({ out, quick = false, json }: DemoOptions, context: Context): Promise<void> {
  const { terminal, signal } = context;
  const files = await syntheticGenome(join(out, "genome"), context);
  const checkpoint = await untrained(join(out, "hyenadna-toy"), context);
  const folders = protocolFolders("both", join(out, quick ? "quick-run" : "run"));
  await using genome = await openGenome(files.genome);
  const models: Model[] = [];
  try {
    for (const spec of ["kmer-markov:order=1", "kmer-markov:order=5", `hyenadna-untrained=${checkpoint}`]) {
      models.push(
        await openModel(spec, { device: "cpu", genome, trainChromosomes: CHROMOSOME_SPLIT.train, signal }),
      );
    }
    for (const { protocol, folder } of folders) {
      const plan = await planRun({
        tasks: [{ task: "regulatory-elements", inputs: { genome, elements: files.regulatoryElements } }],
        models,
        protocol,
        folder,
        signal,
        ...(quick ? { limit: FEW } : {}),
      });
      try {
        await runPlan(plan, context);
      } finally {
        await plan.close();
      }
      await mergeRun(folder);
    }
  } finally {
    for (const model of models) await model.close?.();
  }
  const results = await resultsOf(folders.map(({ folder }) => folder));
  const page = join(out, quick ? "quick-report.html" : "report.html");
  const title = "dart-eval on a synthetic regulatory genome";
  const report = await gatherReport(results, { tasks: TASKS, title });
  await writeFileWhole(page, renderPage(report, await readPageAssets()));
  terminal.print(json ? JSON.stringify(results, null, 2) : resultsText(results));
  terminal.say(`\nreport: ${page}`);
}

/** Written once; equal on every machine. */
async function syntheticGenome(folder: string, { terminal }: Context): Promise<SyntheticFiles> {
  const files = filesIn(folder);
  if ((await kindOfPath(files.truth)) === "file") return files;
  terminal.say(`writing a synthetic genome to ${folder}`);
  return (await writeSyntheticGenome(folder, { seed: 0, scale: 1 })).files;
}

async function untrained(folder: string, { terminal }: Context): Promise<string> {
  if ((await kindOfPath(join(folder, "config.json"))) === "file") return folder;
  terminal.say(`writing an untrained HyenaDNA to ${folder}`);
  return (await initCheckpoint(languageModelCard("hyenadna"), { preset: "toy", seed: 0, folder })).folder;
}
