// Evaluates several models in one resumable run and writes its report.
//   npx tsx examples/report.ts genome.fa regulatory-elements.tsv out
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import {
  gatherReport,
  mergeRun,
  openGenome,
  openModel,
  planRun,
  readPageAssets,
  readResults,
  renderPage,
  runShard,
  TASKS,
} from "dart-eval";

const [genomeFile, elements, out] = process.argv.slice(2) as [string, string, string?];
if (out === undefined) {
  console.error("usage: npx tsx examples/report.ts genome.fa regulatory-elements.tsv out");
  process.exit(2);
}
const folder = join(out, "run");
await using genome = await openGenome(genomeFile);
const models = await Promise.all(
  [2, 5, 8].map((order) => openModel(`kmer-markov:order=${order}`, { genome })),
);

const plan = await planRun({
  tasks: [{ task: "regulatory-elements", inputs: { genome, elements } }],
  models,
  folder,
});
await runShard(plan);
await plan.close();
await mergeRun(folder);

const report = await gatherReport(await readResults(folder), { tasks: TASKS, title: "Markov models" });
await writeFile(join(out, "report.html"), renderPage(report, await readPageAssets()));
for (const { label, main } of report.panels[0].entries) console.log(label, main.value?.toFixed(3));
