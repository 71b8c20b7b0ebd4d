// Evaluates your own model: an object with a name and a log-likelihood. This one depends on GC content alone.
//   npx tsx examples/own-model.ts genome.fa regulatory-elements.tsv
import { evaluate, type Model } from "dart-eval";

const [genome, elements] = process.argv.slice(2);
if (elements === undefined) {
  console.error("usage: npx tsx examples/own-model.ts genome.fa regulatory-elements.tsv");
  process.exit(2);
}

const composition: Model = {
  name: "composition",
  identity: "composition 1: G and C at 0.25 each in 0.4 of the letters",
  logLikelihood: (sequences) =>
    sequences.map((letters) => {
      const strong = letters.replaceAll(/[AT]/g, "").length;
      return strong * Math.log(0.2) + (letters.length - strong) * Math.log(0.3);
    }),
};

const { metrics, counts } = await evaluate({
  task: "regulatory-elements",
  inputs: { genome, elements },
  model: composition,
});
// A shuffle has the same composition, so every pair ties: 0.5.
console.log(`${metrics[0].title} ${metrics[0].value} over ${counts.rows} pairs, ${counts.ties} ties`);
