// Defines your own task: inputs, rows, sequences and metrics. Every model can be evaluated on it.
// This one compares each window of a BED file with its reversed bases.
//   npx tsx examples/own-task.ts genome.fa windows.bed
import { evaluate, openGenome, openModel, type Task } from "dart-eval";
import { type Genome, modelSequenceOf, readBed, windowCodes } from "dart-eval/dna";
import {
  asKind,
  metricOf,
  ofKind,
  openGenomeTable,
  type Predictions,
  tableDigest,
  tableRows,
} from "dart-eval/evaluation";
import { estimate, genomicBlocks, metricOver } from "dart-eval/metrics";

const WINDOW = 200;

/** Facts of a row, stored with its predictions: numbers and texts. */
type Row = { chrom: string; start: number };
type Inputs = { genome: string | Genome; windows: string };

function columnsOf(predictions: Predictions<Row>) {
  const scored = ofKind("likelihood", predictions);
  return {
    forward: scored.map(({ values }) => values[0]),
    reversed: scored.map(({ values }) => values[1]),
    positions: scored.map(({ facts: { chrom, start } }) => ({ chrom, start, end: start + WINDOW })),
  };
}

const direction: Task<Row, Inputs> = {
  name: "direction",
  version: 1, // raise it when the same inputs give other sequences or metrics
  title: "Direction",
  question: "Is a sequence more likely than its reversed bases?",
  source: "an example",
  window: WINDOW,
  members: ["forward", "reversed"],
  inputs: [
    { name: "genome", description: "the reference genome" },
    { name: "windows", description: "a BED file" },
  ],
  settings: { "zero-shot": { recipe: { score: "log-likelihood" }, defaultSplit: "test" } },
  async open({ genome, windows }) {
    const table = await openGenomeTable({
      task: direction,
      genome,
      async read() {
        const rows: (Row & { index: number })[] = [];
        for await (const { chrom, start } of readBed(windows))
          rows.push({ index: rows.length, chrom, start });
        return tableRows(rows);
      },
      digest: (rows) => ({ windows: tableDigest(rows, ({ chrom, start }) => [chrom, start]) }),
      place: ({ start }) => ({ start, end: start + WINDOW, name: "the window" }),
      exampleOf({ index, chrom, start }, chromosome) {
        const bases = modelSequenceOf(windowCodes(chromosome, start, start + WINDOW));
        return { row: index, sequences: [bases, [...bases].reverse().join("")], facts: { chrom, start } };
      },
    });
    return { task: direction, ...table };
  },
  measure(predictions) {
    const { forward, reversed, positions } = columnsOf(predictions);
    const accuracy = estimate("paired-accuracy", forward, reversed, { positions });
    const form = { name: "paired-accuracy", title: "paired accuracy", better: "higher", main: true } as const;
    return {
      metrics: [metricOf(form, accuracy.value, "there are no rows", [accuracy])],
      published: {},
      counts: { rows: predictions.length },
      averages: {},
      quirks: [],
      notes: [],
    };
  },
  // Optional: `dart-eval compare` and reports compare models by this statistic.
  mainStatistic(predictions) {
    const { forward, reversed, positions } = columnsOf(predictions);
    const blocks = genomicBlocks(positions);
    return { metric: "paired-accuracy", blocks, ...metricOver("paired-accuracy", forward, reversed, blocks) };
  },
  scores: {
    columns: ["row", "chrom", "start", "forward", "reversed"],
    line(prediction) {
      const { row, facts, values } = asKind("likelihood", prediction);
      return [row, facts.chrom, facts.start, ...values];
    },
  },
};

const [genomeFile, windows] = process.argv.slice(2);
if (genomeFile === undefined || windows === undefined) {
  console.error("usage: npx tsx examples/own-task.ts genome.fa windows.bed");
  process.exit(2);
}
await using genome = await openGenome(genomeFile);
const model = await openModel("kmer-markov:order=5", { genome });
const { metrics, counts } = await evaluate({ task: direction, inputs: { genome, windows }, model });
const [{ title, value, intervals }] = metrics;
const [{ low, high }] = intervals;
console.log(
  `${title} ${value?.toFixed(3)} [${low.toFixed(3)}, ${high.toFixed(3)}] over ${counts.rows} windows`,
);
