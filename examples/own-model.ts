// Evaluates your own model: an object with a name and a log-likelihood. This one depends on GC content alone.
//   npx tsx examples/own-model.ts genome.fa regulatory-elements.tsv
import { evaluate, type Model } from "dart-eval";

const [genome, elements] = process.argv.slice(2);
if (genome === undefined || elements === undefined) {
  console.error("usage: npx tsx examples/own-model.ts genome.fa regulatory-elements.tsv");
  process.exit(2);
}

const composition: Model = {
  name: "composition",
  identity: "composition 1: P(G) = P(C) = 0.2, P(A) = P(T) = 0.3",
  logLikelihood: (sequences) =>
    sequences.map((sequence) => {
      const gc = sequence.replaceAll(/[AT]/g, "").length;
      return gc * Math.log(0.2) + (sequence.length - gc) * Math.log(0.3);
    }),
};

const { metrics, counts } = await evaluate({
  task: "regulatory-elements",
  inputs: { genome, elements },
  model: composition,
});
// Shuffling keeps the composition, so every pair is a tie, which counts one half.
const [{ title, value }] = metrics;
console.log(`${title} ${value} over ${counts.rows} pairs, ${counts.ties} ties`);
