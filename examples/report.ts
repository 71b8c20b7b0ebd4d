// Evaluates several models in one resumable run and writes its report.
//   npx tsx examples/report.ts genome.fa regulatory-elements.tsv out
import { join } from "node:path";
import { openGenome, openModel, writeReport } from "dart-eval";
import * as evaluation from "dart-eval/evaluation";

const [genomeFile, elements, out] = process.argv.slice(2);
if (genomeFile === undefined || elements === undefined || out === undefined) {
  console.error("usage: npx tsx examples/report.ts genome.fa regulatory-elements.tsv out");
  process.exit(2);
}
const folder = join(out, "run");
await using genome = await openGenome(genomeFile);
const models = await Promise.all(
  [2, 5, 8].map((order) => openModel(`kmer-markov:order=${order}`, { genome })),
);

const plan = await evaluation.planRun({
  tasks: [{ task: "regulatory-elements", inputs: { genome, elements } }],
  models,
  folder,
});
await evaluation.runShard(plan);
await plan.close();
await evaluation.mergeRun(folder);

await writeReport(folder, join(out, "report.html"), { title: "Markov models" });
for (const { result } of await evaluation.readResults(folder)) {
  const [{ value }] = result.metrics;
  console.log(result.cell.model.name, value?.toFixed(3));
}
