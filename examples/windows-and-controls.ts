// Reads a window, its reverse complement, and a control with the same dinucleotide counts.
//   npx tsx examples/windows-and-controls.ts genome.fa
import { Pcg64, seedOf } from "dart-eval/base";
import { dinucleotideShuffle, gcFraction, kmerCounts, openGenome, reverseComplement } from "dart-eval/dna";

const [genomeFile] = process.argv.slice(2);
if (genomeFile === undefined) {
  console.error("usage: npx tsx examples/windows-and-controls.ts genome.fa");
  process.exit(2);
}
await using genome = await openGenome(genomeFile);
const [chrom] = genome.chromosomes.keys();
const window = { chrom: chrom!, start: 2000, end: 2350 };
const element = await genome.letters(window);
const control = dinucleotideShuffle(element, new Pcg64(seedOf([0, window.chrom, window.start, window.end])));

const pairs = (letters: string) => [...kmerCounts(letters, 2)].sort().join(" ");
console.log(
  `G and C: ${gcFraction(element).toFixed(2)}, other strand ${reverseComplement(element).slice(0, 20)}...`,
);
console.log(
  `the control differs: ${element !== control}, its pairs of letters do not: ${pairs(element) === pairs(control)}`,
);
