// A task of your own is a form: what is asked, of which rows, and what the answers are worth. Every model can then be asked.
// This one asks whether a sequence is likelier than the same letters read backwards, on the windows of a BED file.
//   npx tsx examples/own-task.ts genome.fa windows.bed
import {
  digestFile,
  evaluate,
  isInSplit,
  openGenome,
  openModel,
  pairedAccuracy,
  pairedAccuracyEstimate,
  pairedCounts,
  type Task,
} from "dart-eval";
import { asLanguageModelLetters, type BedRow, type Genome, readBed } from "dart-eval/dna";

const direction: Task = {
  name: "direction",
  version: 1, // raised when the same inputs would give other sequences or numbers
  title: "Direction",
  asks: "Is a sequence more likely than the same letters backwards?",
  source: "an example",
  window: 200,
  members: ["forwards", "backwards"],
  inputs: [
    { name: "genome", what: "the reference genome" },
    { name: "windows", what: "a BED file" },
  ],
  settings: { "zero-shot": { recipe: { score: "log-likelihood" }, defaultSplit: "test" } },
  async open({ genome: given, windows }) {
    const genome = given as Genome;
    const table: BedRow[] = [];
    for await (const window of readBed(windows as string, { genome })) table.push(window);
    const perChromosome = new Map<string, number>();
    for (const { chrom } of table) perChromosome.set(chrom, (perChromosome.get(chrom) ?? 0) + 1);
    return {
      task: direction,
      digests: { genome: await genome.digest(), windows: await digestFile(windows as string) },
      // Rows are known by their numbers in the whole table.
      select: ({ split, limit }) => ({
        rows: Uint32Array.from(table.keys())
          .filter((row) => isInSplit(table[row].chrom, split))
          .slice(0, limit ?? table.length),
        inTable: table.length,
        perChromosome,
        memory: 0,
      }),
      async examples(rows) {
        return Promise.all(
          Array.from(rows, async (row) => {
            const { chrom, start } = table[row];
            const letters = asLanguageModelLetters(
              await genome.letters({ chrom, start, end: start + direction.window }),
            );
            return {
              row,
              sequences: [letters, [...letters].reverse().join("")],
              facts: { chrom, start },
            };
          }),
        );
      },
      async close() {},
    };
  },
  measure(predictions) {
    const [forwards, backwards] = [0, 1].map((member) =>
      Array.from(predictions, (prediction) =>
        prediction.kind === "likelihood" ? prediction.values[member] : 0,
      ),
    );
    const counts = pairedCounts(forwards!, backwards!);
    return {
      metrics: [
        {
          name: "paired-accuracy",
          title: "paired accuracy",
          better: "higher",
          main: true,
          value: pairedAccuracy(counts, "half"),
          intervals: [pairedAccuracyEstimate(counts, "half")],
        },
      ],
      published: {},
      counts: { rows: predictions.length, ties: counts.ties },
      averages: {},
      quirks: [],
      notes: [],
    };
  },
  scores: {
    columns: ["row", "forwards", "backwards"],
    line: (prediction) => [prediction.row, ...(prediction.kind === "likelihood" ? prediction.values : [])],
  },
};

const [genomeFile, windows] = process.argv.slice(2);
if (windows === undefined) {
  console.error("usage: npx tsx examples/own-task.ts genome.fa windows.bed");
  process.exit(2);
}
await using genome = await openGenome(genomeFile!);
const model = await openModel("kmer-markov:order=5", { genome });
const { metrics, counts } = await evaluate({ task: direction, inputs: { genome, windows }, model });
const { low, high } = metrics[0].intervals[0];
console.log(
  `${metrics[0].title} ${metrics[0].value!.toFixed(3)} [${low.toFixed(3)}, ${high.toFixed(3)}] over ${counts.rows} windows`,
);
