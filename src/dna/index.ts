/**
 * Sequences, genomes, tables of intervals, motifs and tokenizers.
 *
 * @module dart-eval/dna
 */

export { type BedRow, type NarrowPeak, readBed, readNarrowPeaks } from "./genome/bed.ts";
export { openBigWig, type Signal } from "./genome/bigwig.ts";
export { CHROMOSOME_SPLIT, isInSplit, type Split } from "./genome/chromosome-split.ts";
export { type Genome, genomeInMemory, openGenome } from "./genome/genome.ts";
export { centredWindow, formatInterval, type Interval } from "./genome/interval.ts";
export { IntervalIndex } from "./genome/interval-index.ts";
export { readStartSites, type StartSites } from "./genome/start-sites.ts";
export { bigWigBytes } from "./genome/write-bigwig.ts";
export { readMotifs } from "./motifs/meme.ts";
export { consensus, type Motif } from "./motifs/motif.ts";
export { type MotifHit, MotifScanner } from "./motifs/scanner.ts";
export { gcFraction, kmerCounts } from "./sequence/composition.ts";
export { asModelSequence, modelSequenceOf, oneHot, windowCodes } from "./sequence/encoding.ts";
export { reverseComplement } from "./sequence/reverse-complement.ts";
export { dinucleotideShuffle } from "./sequence/shuffle.ts";
export { type LetterTable, letterTokenizer } from "./tokenizers/one-letter.ts";
export { openTokenizer } from "./tokenizers/open-tokenizer.ts";
export type { Tokenizer, Tokens } from "./tokenizers/tokenizer.ts";
