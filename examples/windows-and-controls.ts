// Reads a window, its reverse complement, and a control with the same dinucleotide counts.
//   npx tsx examples/windows-and-controls.ts genome.fa
import * as base from "dart-eval/base";
import * as dna from "dart-eval/dna";

const [genomeFile] = process.argv.slice(2);
if (genomeFile === undefined) {
  console.error("usage: npx tsx examples/windows-and-controls.ts genome.fa");
  process.exit(2);
}
await using genome = await dna.openGenome(genomeFile);
const [chrom = "chr1"] = genome.chromosomes.keys();
const window = { chrom, start: 2000, end: 2350 };
const element = await genome.sequence(window);
const rng = new base.Pcg64(base.seedOf([0, window.chrom, window.start, window.end]));
const control = dna.dinucleotideShuffle(element, rng);

const dinucleotides = (sequence: string) => [...dna.kmerCounts(sequence, 2)].sort().join(" ");
console.log(
  `GC ${dna.gcFraction(element).toFixed(2)}, reverse complement ${dna.reverseComplement(element).slice(0, 20)}...`,
);
console.log(
  `control differs: ${element !== control}, equal dinucleotide counts: ${dinucleotides(element) === dinucleotides(control)}`,
);
