// Task 1, zero-shot: does the model prefer regulatory elements over their shuffled controls?
//   npx tsx examples/zero-shot.ts genome.fa regulatory-elements.tsv
import { evaluate, openGenome, openModel } from "dart-eval";

const [genomeFile, elements] = process.argv.slice(2);
if (genomeFile === undefined || elements === undefined) {
  console.error("usage: npx tsx examples/zero-shot.ts genome.fa regulatory-elements.tsv");
  process.exit(2);
}
await using genome = await openGenome(genomeFile);
await using model = await openModel("kmer-markov:order=5", { genome });
const { metrics } = await evaluate({ task: "regulatory-elements", inputs: { genome, elements }, model });
const [{ value, intervals }] = metrics;
const [{ low, high, method }] = intervals;
console.log(`${model.name}: ${value?.toFixed(3)} [${low.toFixed(3)}, ${high.toFixed(3)}] (${method})`);
