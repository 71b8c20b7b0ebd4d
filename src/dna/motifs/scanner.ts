import { InputError } from "../../base/errors.ts";
import type { Motif } from "./motif.ts";
import {
  bitsOf,
  type ScaledMotif,
  type ScoringOptions,
  scaleMotif,
  tailProbabilities,
} from "./scaled-motif.ts";

export interface ScannerOptions extends ScoringOptions {
  /** Largest p-value of a hit; default: 1e-4, as in FIMO. */
  readonly threshold?: number;
}

/** A motif hit. */
export interface MotifHit {
  /** Index of the sequence. */
  readonly sequence: number;
  /** Index of the motif in the scanner. */
  readonly motif: number;
  /** 0-based, half-open interval of the sequence. */
  readonly start: number;
  readonly end: number;
  /** "-": the reverse complement matches. */
  readonly strand: "+" | "-";
  /** Log-odds score in bits. */
  readonly score: number;
  /** P-value: probability of at least this score at one position of the background. */
  readonly p: number;
}

/** Length k of the k-mers in lookup tables: the tables of one motif fit into the L1 cache. */
const K = 6;
const KMERS = 4 ** K;

/** Index of a k-mer that contains an ambiguity letter or crosses the end of a sequence. */
const NO_KMER = KMERS;

/** Bases scanned per motif before the next motif, in whole sequences. */
const BLOCK_BASES = 2 ** 15;

/** Adjacent positions of a motif that share a lookup table. */
interface Part {
  /** Position of the k-mer in the motif. */
  readonly offset: number;
  /** Score of each k-mer; positions covered by an earlier part score 0. */
  readonly sums: Int16Array;
  /** Smallest sum of the parts up to this one with which the rest can still reach a hit. */
  readonly least: number;
}

/** A motif on one strand. */
interface Matrix {
  readonly motif: number;
  readonly strand: "+" | "-";
  readonly width: number;
  /** Parts that cover the motif, the most informative first. */
  readonly parts: readonly Part[];
}

/** Called for each hit, motif by motif. */
type Visit = (matrix: Matrix, sequence: number, start: number, sum: number) => void;

/**
 * Scans sequences for many motifs on both strands, with FIMO's scores and p-values.
 *
 * The score of a motif is summed over 6-mers, the most informative first. A position is dropped as soon as
 * the remaining 6-mers cannot reach the threshold. Hits do not overlap letters other than A, C, G, T.
 */
export class MotifScanner {
  readonly motifs: readonly Motif[];
  readonly threshold: number;
  private readonly scaled: readonly ScaledMotif[];
  private readonly significant: readonly SignificantSums[];
  private readonly matrices: readonly Matrix[];

  /** @throws {InputError} when there is no motif, the threshold is not in (0, 1], or as `scaleMotif` */
  constructor(motifs: readonly Motif[], { threshold = 1e-4, ...scoring }: ScannerOptions = {}) {
    if (motifs.length === 0) throw new InputError("no motifs to scan for");
    const short = motifs.find(({ width }) => width < K);
    if (short !== undefined) {
      throw new InputError(`the motif ${short.name} has ${short.width} positions; expected at least ${K}`, {
        hint: "remove the motif: one this short matches everywhere",
      });
    }
    if (!(threshold > 0 && threshold <= 1)) {
      throw new InputError(`the p-value threshold is ${threshold}; expected a number above 0 and at most 1`);
    }
    this.motifs = motifs;
    this.threshold = threshold;
    this.scaled = motifs.map((motif) => scaleMotif(motif, scoring));
    this.significant = this.scaled.map((scaled) => significantSums(scaled, threshold));
    this.matrices = this.scaled.flatMap((scaled, motif) =>
      bothStrands(scaled, motif, this.significant[motif].least),
    );
  }

  /**
   * All hits, sorted by sequence, start, motif and strand.
   * @param sequences  base codes: 0 A, 1 C, 2 G, 3 T; any other code excludes hits
   */
  hits(sequences: readonly Uint8Array[]): readonly MotifHit[] {
    const hits: MotifHit[] = [];
    this.visit(sequences, ({ motif, strand, width }, sequence, start, sum) => {
      const { least, p: pOf } = this.significant[motif];
      const [score, p] = [bitsOf(this.scaled[motif], sum), pOf[sum - least]];
      hits.push({ sequence, motif, start, end: start + width, strand, score, p });
    });
    return hits.sort(
      (a, b) =>
        a.sequence - b.sequence || a.start - b.start || a.motif - b.motif || (a.strand < b.strand ? -1 : 1),
    );
  }

  /** Number of hits of each motif in each sequence on both strands. [sequences][motifs] */
  counts(sequences: readonly Uint8Array[]): readonly Float64Array[] {
    const counts = sequences.map(() => new Float64Array(this.motifs.length));
    this.visit(sequences, ({ motif }, sequence) => {
      counts[sequence][motif]++;
    });
    return counts;
  }

  private visit(sequences: readonly Uint8Array[], visit: Visit): void {
    let first = 0;
    while (first < sequences.length) {
      let end = first;
      let bases = 0;
      while (end < sequences.length && (end === first || bases + sequences[end].length <= BLOCK_BASES)) {
        bases += sequences[end++].length + 1;
      }
      this.visitBlock(sequences.slice(first, end), first, visit);
      first = end;
    }
  }

  private visitBlock(sequences: readonly Uint8Array[], number: number, visit: Visit): void {
    const { kmers, known, owner, firstOf } = joined(sequences);
    const positions = new Int32Array(owner.length + 1);
    const scores = new Int32Array(owner.length + 1);
    for (const matrix of this.matrices) {
      const { width, parts } = matrix;
      let count = firstCandidates(kmers, owner.length - width, parts[0], positions, scores);
      for (const part of parts.slice(1)) count = filterCandidates(kmers, count, part, positions, scores);
      for (let i = 0; i < count; i++) {
        const start = positions[i];
        if (known[start] < width) continue;
        const sequence = owner[start];
        visit(matrix, number + sequence, start - firstOf[sequence], scores[i]);
      }
    }
  }
}

// The two inner loops are branch-free, because most positions fail unpredictably: every candidate is written,
// and kept by advancing the count. The sign bit of the difference is -1 for a sum that is too small.

/** Writes the start positions that pass the first part, with their scores. @returns their number */
function firstCandidates(
  kmers: Uint16Array,
  end: number,
  { offset, sums, least }: Part,
  positions: Int32Array,
  scores: Int32Array,
): number {
  let count = 0;
  for (let start = 0; start < end; start++) {
    const sum = sums[kmers[start + offset]];
    positions[count] = start;
    scores[count] = sum;
    count += 1 + ((sum - least) >> 31);
  }
  return count;
}

/** Adds the score of another part and keeps the positions that pass. @returns their number */
function filterCandidates(
  kmers: Uint16Array,
  before: number,
  { offset, sums, least }: Part,
  positions: Int32Array,
  scores: Int32Array,
): number {
  let count = 0;
  for (let i = 0; i < before; i++) {
    const start = positions[i];
    const sum = scores[i] + sums[kmers[start + offset]];
    positions[count] = start;
    scores[count] = sum;
    count += 1 + ((sum - least) >> 31);
  }
  return count;
}

/** Concatenates sequences with an ambiguity letter after each. */
function joined(sequences: readonly Uint8Array[]) {
  const length = sequences.reduce((sum, codes) => sum + codes.length + 1, 0);
  /** Index of the k-mer that starts at each position. */
  const kmers = new Uint16Array(length).fill(NO_KMER);
  /** Number of unambiguous bases from each position on. */
  const known = new Int32Array(length);
  const owner = new Int32Array(length);
  const firstOf = new Int32Array(sequences.length);
  let first = 0;
  sequences.forEach((codes, sequence) => {
    firstOf[sequence] = first;
    owner.fill(sequence, first, first + codes.length + 1);
    let kmer = 0;
    for (let i = codes.length - 1; i >= 0; i--) {
      const code = codes[i];
      const at = first + i;
      known[at] = code < 4 ? known[at + 1] + 1 : 0;
      kmer = (kmer >> 2) + ((code & 3) << (2 * (K - 1)));
      if (known[at] >= K) kmers[at] = kmer;
    }
    first += codes.length + 1;
  });
  return { kmers, known, owner, firstOf };
}

/** Matrices of a motif on the forward and reverse strand. */
function bothStrands(scaled: ScaledMotif, motif: number, least: number): readonly Matrix[] {
  const { width } = scaled.motif;
  // The reversed array is the matrix of the other strand: it reverses the positions and swaps A with T and C
  // with G.
  const strands = [scaled.scores, scaled.scores.slice().reverse()];
  return strands.map((rows, strand) => ({
    motif,
    strand: strand === 0 ? "+" : "-",
    width,
    parts: partsOf(rows, width, least),
  }));
}

/** Sums of scores that are hits. */
interface SignificantSums {
  /** Smallest sum of a hit; one more than the largest possible sum if no sum is a hit. */
  readonly least: number;
  /** P-values of the sums from `least` on. */
  readonly p: Float64Array;
}

function significantSums(scaled: ScaledMotif, threshold: number): SignificantSums {
  const tail = tailProbabilities(scaled);
  let least = tail.length;
  while (least > 0 && tail[least - 1] <= threshold) least--;
  return { least, p: tail.slice(least) };
}

/** Covers a motif greedily with the most informative k-mers. */
function partsOf(rows: Int32Array, width: number, least: number): readonly Part[] {
  const row = (position: number) => rows.subarray(4 * position, 4 * position + 4);
  const best = Array.from({ length: width }, (_, position) => Math.max(...row(position)));
  const information = best.map((score, position) => score - row(position).reduce((a, b) => a + b) / 4);
  const total = (values: readonly number[], positions: readonly number[]) =>
    positions.reduce((sum, position) => sum + values[position], 0);
  const covered = new Set<number>();
  const parts: Part[] = [];
  while (covered.size < width) {
    const choices = Array.from({ length: width - K + 1 }, (_, offset) => {
      const positions = Array.from({ length: K }, (_, i) => offset + i).filter((i) => !covered.has(i));
      return { offset, positions, information: total(information, positions) };
    });
    const chosen = choices.reduce((a, b) => (b.information > a.information ? b : a));
    const sums = kmerSums(
      Array.from({ length: K }, (_, i) =>
        chosen.positions.includes(chosen.offset + i) ? [...row(chosen.offset + i)] : [0, 0, 0, 0],
      ),
    );
    for (const position of chosen.positions) covered.add(position);
    const outside = [...best.keys()].filter((position) => !covered.has(position));
    parts.push({ offset: chosen.offset, sums, least: least - total(best, outside) });
  }
  return parts;
}

/** Score of every k-mer; 0 for `NO_KMER`. */
function kmerSums(rows: readonly (readonly number[])[]): Int16Array {
  const sums = new Int16Array(KMERS + 1);
  let kmers = 1;
  for (const row of rows) {
    // Backwards, so that shorter prefixes are read before they are overwritten.
    for (let kmer = 4 * kmers - 1; kmer >= 0; kmer--) sums[kmer] = sums[kmer >> 2] + row[kmer & 3];
    kmers *= 4;
  }
  return sums;
}
