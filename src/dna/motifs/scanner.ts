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
  /** The largest p-value of a hit; 1e-4, as in FIMO, when left out. */
  readonly threshold?: number;
}

/** A place that looks like a motif. */
export interface MotifHit {
  /** Place of the sequence among those scanned together. */
  readonly sequence: number;
  /** Place of the motif in the scanner's list. */
  readonly motif: number;
  /** 0-based, half-open, on the sequence. */
  readonly start: number;
  readonly end: number;
  /** "-": the motif lies on the other strand. */
  readonly strand: "+" | "-";
  /** Log-odds, bits. */
  readonly score: number;
  /** Chance of this score or a higher one at one place of the background. */
  readonly p: number;
}

/** Letters of a word: the tables of one motif then stay in the processor's nearest memory. */
const WORD = 6;
const WORDS = 4 ** WORD;

/** Stands for a word with a letter that is none of the four, or with an end inside. */
const NO_WORD = WORDS;

/** Letters scanned for one motif before the next has its turn; in whole sequences. */
const BLOCK = 2 ** 15;

/** Some positions of a motif, looked up together. */
interface Part {
  /** Where the word begins in the motif. */
  readonly offset: number;
  /** What each word adds up to; positions that an earlier part has count nothing. */
  readonly sums: Int16Array;
  /** The least sum of the parts up to this one for which the others can still make a hit. */
  readonly least: number;
}

/** A motif on one strand. */
interface Matrix {
  readonly motif: number;
  readonly strand: "+" | "-";
  readonly width: number;
  /** They cover the motif, the most telling first. */
  readonly parts: readonly Part[];
}

/** Called for each hit, motif by motif. */
type Visit = (matrix: Matrix, sequence: number, start: number, sum: number) => void;

/**
 * Finds many motifs on both strands, with FIMO's scores and p-values.
 *
 * A motif's score is put together of words of six letters, the most telling first; where the others cannot make up for it,
 * they are not looked at. A letter other than A, C, G, T is in no hit.
 */
export class MotifScanner {
  readonly motifs: readonly Motif[];
  readonly threshold: number;
  private readonly scaled: readonly ScaledMotif[];
  private readonly significant: readonly SignificantSums[];
  private readonly matrices: readonly Matrix[];

  /** @throws {InputError} when there is no motif, the threshold is no probability, or as `scaleMotif` */
  constructor(motifs: readonly Motif[], { threshold = 1e-4, ...scoring }: ScannerOptions = {}) {
    if (motifs.length === 0) throw new InputError("there is no motif to look for");
    const short = motifs.find(({ width }) => width < WORD);
    if (short !== undefined) {
      throw new InputError(
        `the motif ${short.name} has ${short.width} positions; at least ${WORD} are needed`,
        {
          hint: "so short a motif is found everywhere: leave it out",
        },
      );
    }
    if (!(threshold > 0 && threshold <= 1)) {
      throw new InputError(
        `a p-value of ${threshold} cannot be the largest of a hit; it is above 0 and at most 1`,
      );
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
   * Every hit, by sequence, then start, then motif, then strand.
   * @param sequences  codes of the letters: 0 A, 1 C, 2 G, 3 T; any other number is a letter that is in no hit
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

  /** Hits of each motif in each sequence, both strands counted. [sequences][motifs] */
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
      let letters = 0;
      while (end < sequences.length && (end === first || letters + sequences[end].length <= BLOCK)) {
        letters += sequences[end++].length + 1;
      }
      this.visitBlock(sequences.slice(first, end), first, visit);
      first = end;
    }
  }

  private visitBlock(sequences: readonly Uint8Array[], number: number, visit: Visit): void {
    const { words, known, owner, firstOf } = joined(sequences);
    const places = new Int32Array(owner.length + 1);
    const scores = new Int32Array(owner.length + 1);
    for (const matrix of this.matrices) {
      const { width, parts } = matrix;
      let count = begin(words, owner.length - width, parts[0], places, scores);
      for (const part of parts.slice(1)) count = goOn(words, count, part, places, scores);
      for (let i = 0; i < count; i++) {
        const start = places[i];
        if (known[start] < width) continue;
        const sequence = owner[start];
        visit(matrix, number + sequence, start - firstOf[sequence], scores[i]);
      }
    }
  }
}

/*
 * The two inner loops. Most places are turned down, in no order that a processor could foresee, so neither branches: each
 * place is written, and kept by counting it. The sign bit of a difference is -1 where a sum is too small.
 */

/** Writes the places where a motif may begin as far as its first part tells, with its score. @returns how many */
function begin(
  words: Uint16Array,
  end: number,
  { offset, sums, least }: Part,
  places: Int32Array,
  scores: Int32Array,
): number {
  let count = 0;
  for (let start = 0; start < end; start++) {
    const sum = sums[words[start + offset]];
    places[count] = start;
    scores[count] = sum;
    count += 1 + ((sum - least) >> 31);
  }
  return count;
}

/** Keeps the places whose score is still enough with another part's. @returns how many */
function goOn(
  words: Uint16Array,
  before: number,
  { offset, sums, least }: Part,
  places: Int32Array,
  scores: Int32Array,
): number {
  let count = 0;
  for (let i = 0; i < before; i++) {
    const start = places[i];
    const sum = scores[i] + sums[words[start + offset]];
    places[count] = start;
    scores[count] = sum;
    count += 1 + ((sum - least) >> 31);
  }
  return count;
}

/** Sequences one after the other, with a letter that is none of the four behind each. */
function joined(sequences: readonly Uint8Array[]) {
  const length = sequences.reduce((sum, codes) => sum + codes.length + 1, 0);
  /** The word that begins at each letter. */
  const words = new Uint16Array(length).fill(NO_WORD);
  /** How many letters from each on are known. */
  const known = new Int32Array(length);
  const owner = new Int32Array(length);
  const firstOf = new Int32Array(sequences.length);
  let first = 0;
  sequences.forEach((codes, sequence) => {
    firstOf[sequence] = first;
    owner.fill(sequence, first, first + codes.length + 1);
    let word = 0;
    for (let i = codes.length - 1; i >= 0; i--) {
      const code = codes[i];
      const at = first + i;
      known[at] = code < 4 ? known[at + 1] + 1 : 0;
      word = (word >> 2) + ((code & 3) << (2 * (WORD - 1)));
      if (known[at] >= WORD) words[at] = word;
    }
    first += codes.length + 1;
  });
  return { words, known, owner, firstOf };
}

function bothStrands(scaled: ScaledMotif, motif: number, least: number): readonly Matrix[] {
  const { width } = scaled.motif;
  // Read backwards the matrix is the other strand's, since A and T, C and G stand opposite each other.
  const strands = [scaled.scores, scaled.scores.slice().reverse()];
  return strands.map((rows, strand) => ({
    motif,
    strand: strand === 0 ? "+" : "-",
    width,
    parts: partsOf(rows, width, least),
  }));
}

/** The sums of scores that a hit may have. */
interface SignificantSums {
  /** The smallest; one more than the largest sum there is where none is a hit. */
  readonly least: number;
  /** P-values of this sum and the larger ones. */
  readonly p: Float64Array;
}

function significantSums(scaled: ScaledMotif, threshold: number): SignificantSums {
  const tail = tailProbabilities(scaled);
  let least = tail.length;
  while (least > 0 && tail[least - 1] <= threshold) least--;
  return { least, p: tail.slice(least) };
}

function partsOf(rows: Int32Array, width: number, least: number): readonly Part[] {
  const row = (position: number) => rows.subarray(4 * position, 4 * position + 4);
  const best = Array.from({ length: width }, (_, position) => Math.max(...row(position)));
  const telling = best.map((score, position) => score - row(position).reduce((a, b) => a + b) / 4);
  const total = (values: readonly number[], positions: readonly number[]) =>
    positions.reduce((sum, position) => sum + values[position], 0);
  const covered = new Set<number>();
  const parts: Part[] = [];
  while (covered.size < width) {
    const choices = Array.from({ length: width - WORD + 1 }, (_, offset) => {
      const positions = Array.from({ length: WORD }, (_, i) => offset + i).filter((i) => !covered.has(i));
      return { offset, positions, telling: total(telling, positions) };
    });
    const chosen = choices.reduce((a, b) => (b.telling > a.telling ? b : a));
    const sums = wordSums(
      Array.from({ length: WORD }, (_, i) =>
        chosen.positions.includes(chosen.offset + i) ? [...row(chosen.offset + i)] : [0, 0, 0, 0],
      ),
    );
    for (const position of chosen.positions) covered.add(position);
    const outside = [...best.keys()].filter((position) => !covered.has(position));
    parts.push({ offset: chosen.offset, sums, least: least - total(best, outside) });
  }
  return parts;
}

/** What every word adds up to; 0 for no word. */
function wordSums(rows: readonly (readonly number[])[]): Int16Array {
  const sums = new Int16Array(WORDS + 1);
  let words = 1;
  for (const row of rows) {
    // From the end, so that no shorter word is written over before it was read.
    for (let word = 4 * words - 1; word >= 0; word--) sums[word] = sums[word >> 2] + row[word & 3];
    words *= 4;
  }
  return sums;
}
