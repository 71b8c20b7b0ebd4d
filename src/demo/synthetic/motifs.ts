import type { Pcg64 } from "../../base/pcg64.ts";
import { valueAt } from "../../base/record.ts";
import { weightedIndex } from "./draws.ts";

/** Consensus binding site of a transcription factor. */
export interface ConsensusSite {
  /** Name of the factor, or of the family that shares the site. */
  readonly name: string;
  readonly family: string;
  /** IUPAC codes, 5' to 3'. */
  readonly consensus: string;
}

/** Sites of the synthetic genome: textbook consensus sequences, none from a motif collection. */
export const CONSENSUS_SITES = [
  { name: "CTCF", family: "Zinc finger, many", consensus: "CCASYAGRKGGCRS" },
  { name: "REST", family: "Zinc finger, many", consensus: "TTYAGCACCNNGGACAGYGCC" },
  { name: "SP1", family: "Zinc finger, three", consensus: "GGGGCGGGGY" },
  { name: "EBF1", family: "Early B-cell factor", consensus: "TCCCNNGGGA" },
  { name: "NRF1", family: "Nuclear respiratory factor", consensus: "GCGCATGCGC" },
  { name: "NFY", family: "Heteromeric CCAAT-binding", consensus: "RRCCAATSR" },
  { name: "CREB", family: "bZIP", consensus: "TGACGTCA" },
  { name: "AP1", family: "bZIP", consensus: "TGASTCA" },
  { name: "CEBP", family: "bZIP", consensus: "RTTGCGYAAY" },
  { name: "ETS", family: "Ets", consensus: "ACCGGAAGTR" },
  { name: "GATA", family: "GATA", consensus: "AGATAAGR" },
  { name: "RUNX", family: "Runt", consensus: "TGTGGTTW" },
  { name: "TEAD", family: "TEA", consensus: "RCATTCCW" },
  { name: "NFKB", family: "Rel", consensus: "GGGRNWYYCC" },
  { name: "FOXA", family: "Forkhead", consensus: "TRTTTACWY" },
  { name: "HNF1", family: "Homeodomain", consensus: "GTTAATNATTAAY" },
  { name: "HNF4", family: "Nuclear receptor", consensus: "RGGNCAAAGKTCA" },
  { name: "ESRRB", family: "Nuclear receptor", consensus: "TCAAGGTCA" },
  { name: "P53", family: "p53", consensus: "RRRCWWGYYYRRRCWWGYYY" },
  { name: "OCT4-SOX2", family: "POU and HMG", consensus: "CATTGTYATGCAAAW" },
] as const satisfies readonly ConsensusSite[];

export type MotifName = (typeof CONSENSUS_SITES)[number]["name"];

/** Bases of each IUPAC code. */
const IUPAC: Readonly<Record<string, string>> = {
  A: "A",
  C: "C",
  G: "G",
  T: "T",
  R: "AG",
  Y: "CT",
  S: "CG",
  W: "AT",
  K: "GT",
  M: "AC",
  B: "CGT",
  D: "AGT",
  H: "ACT",
  V: "ACG",
  N: "ACGT",
};

/** Probability of each base that the consensus does not allow. */
const STRAY = 0.02;

/**
 * Position weight matrices of a motif on both strands. Columns are A, C, G, T; scores are ln(probability /
 * ¼).
 */
export interface SyntheticMotif {
  readonly name: MotifName;
  readonly family: string;
  readonly consensus: string;
  readonly width: number;
  /** [width, 4], rows sum to 1. */
  readonly probabilities: Float64Array;
  /** [width, 4], nats; `reverse` scores sites on the reverse strand. */
  readonly forward: Float64Array;
  readonly reverse: Float64Array;
  /** Score of the consensus. */
  readonly bestScore: number;
  /**
   * Upper bound of the score of positions from i on, over both strands, [width + 1]; allows an early stop of
   * the search.
   */
  readonly stillPossible: Float64Array;
}

/** The consensus sites as motifs: equal probabilities for allowed bases, 2 % for each other base. */
export const MOTIFS: readonly SyntheticMotif[] = CONSENSUS_SITES.map((site) => {
  const width = site.consensus.length;
  const probabilities = new Float64Array(width * 4);
  [...site.consensus].forEach((letter, i) => {
    const allowed = IUPAC[letter];
    const share = (1 - STRAY * (4 - allowed.length)) / allowed.length;
    for (let code = 0; code < 4; code++) {
      probabilities[i * 4 + code] = allowed.includes("ACGT"[code]) ? share : STRAY;
    }
  });
  const forward = probabilities.map((p) => Math.log(4 * p));
  const best = Array.from({ length: width }, (_, i) => Math.max(...forward.subarray(4 * i, 4 * i + 4)));
  // Reversing the flat array reverses positions and complements bases, since A is 0 and T is 3.
  return {
    ...site,
    width,
    probabilities,
    forward,
    reverse: forward.slice().reverse(),
    bestScore: best.reduce((a, b) => a + b),
    stillPossible: suffixMaxima(best),
  };
});

/** For each position, the larger of the suffix sums of `best` and of its reverse. */
function suffixMaxima(best: readonly number[]): Float64Array {
  const width = best.length;
  const sums = new Float64Array(width + 1);
  for (let i = 0; i < width; i++) {
    const forward = best.slice(i).reduce((a, b) => a + b);
    const reverse = best.slice(0, width - i).reduce((a, b) => a + b);
    sums[i] = Math.max(forward, reverse);
  }
  return sums;
}

const motifsByName = new Map<string, SyntheticMotif>(MOTIFS.map((motif) => [motif.name, motif]));

export const motifNamed = (name: MotifName): SyntheticMotif => valueAt(motifsByName, name);

/** Draws a site from the motif's probabilities, as base codes on the motif's strand. */
export function drawSite(rng: Pcg64, motif: SyntheticMotif): Uint8Array {
  return Uint8Array.from({ length: motif.width }, (_, i) =>
    weightedIndex(rng, motif.probabilities.subarray(4 * i, 4 * i + 4)),
  );
}

/** Tolerance for equal scores of the two strands, which are summed in different orders. */
const TIE = 1e-9;

/** Occurrence of a motif. */
export interface Site {
  readonly motif: MotifName;
  /** 0-based, half-open, in the searched sequence. */
  readonly start: number;
  readonly end: number;
  readonly strand: "+" | "-";
  /** Probability that the factor is bound, in (0, 1). */
  readonly occupancy: number;
}

/**
 * Finds all sites within codes [from, to) with an occupancy of at least `least`, motif by motif, sorted by
 * position.
 *
 * Occupancy is a logistic function of the better strand's score, one half at 2 nats below the best score. A
 * consensus site has 0.88, one mismatch gives 0.14 to 0.24, two less than 0.01. The forward strand wins a
 * tie.
 */
export function findSites(codes: Uint8Array, from: number, to: number, least: number): Site[] {
  const { lowest, first, second } = searchFor(least);
  const sites: Site[][] = MOTIFS.map(() => []);
  const words = wordsOf(codes, from, to);
  for (let i = 0; i < words.length; i++) {
    let left = first[words[i]];
    if (i + WORD < words.length) left &= second[words[i + WORD]];
    for (; left !== 0; left &= left - 1) {
      const index = 31 - Math.clz32(left & -left);
      const motif = MOTIFS[index];
      const { name, width, bestScore } = motif;
      const start = from + i;
      if (start + width > to) continue;
      const { reached, onForward, onReverse } = scoreAt(motif, codes, start, lowest[index]);
      const score = Math.max(onForward, onReverse);
      if (!reached || score < lowest[index]) continue;
      sites[index].push({
        motif: name,
        start,
        end: start + width,
        strand: onForward > onReverse - TIE ? "+" : "-",
        occupancy: 1 / (1 + Math.exp(bestScore - 2 - score)),
      });
    }
  }
  return sites.flat();
}

/** Number of bases by which most positions are excluded, twice; at most the width of each motif. */
const WORD = 6;
const WORDS = 4 ** WORD;

/** The WORD bases at each position of [from, to), their codes as the digits of a number. */
function wordsOf(codes: Uint8Array, from: number, to: number): Uint16Array {
  const words = new Uint16Array(Math.max(0, to - from - WORD + 1));
  let word = 0;
  for (let at = from; at < to; at++) {
    word = ((word << 2) | codes[at]) & (WORDS - 1);
    if (at - from >= WORD - 1) words[at - from - WORD + 1] = word;
  }
  return words;
}

interface Search {
  /** Lowest score of a site of each motif. */
  readonly lowest: readonly number[];
  /**
   * For each word, a bit for each motif of which a site can have it as its first bases, the first motif's the
   * lowest; there are fewer motifs than bits.
   */
  readonly first: Int32Array;
  /** The same for the bases after these. */
  readonly second: Int32Array;
}

const searches = new Map<number, Search>();

/** The search for sites with an occupancy of at least `least`. */
function searchFor(least: number): Search {
  const known = searches.get(least);
  if (known !== undefined) return known;
  const lowest = MOTIFS.map(({ bestScore }) => bestScore - 2 + Math.log(least / (1 - least)));
  const motifsWith = (offset: number) => {
    const bits = new Int32Array(WORDS);
    for (const [i, motif] of MOTIFS.entries()) {
      const forward = lossesFrom(motif.forward, offset);
      const reverse = lossesFrom(motif.reverse, offset);
      const most = motif.bestScore - lowest[i] + TIE;
      for (let word = 0; word < WORDS; word++)
        if (forward[word] <= most || reverse[word] <= most) bits[word] |= 1 << i;
    }
    return bits;
  };
  const made = { lowest, first: motifsWith(0), second: motifsWith(WORD) };
  searches.set(least, made);
  return made;
}

/**
 * By how much each word at an offset scores below the best bases there; bases after the motif's end count
 * nothing.
 */
function lossesFrom(scores: Float64Array, offset: number): Float64Array {
  let losses = new Float64Array(1);
  for (let i = offset; i < offset + WORD; i++) {
    const column = scores.subarray(4 * i, 4 * i + 4);
    const best = Math.max(...column);
    losses = Float64Array.from({ length: 4 * losses.length }, (_, word) =>
      column.length === 0 ? losses[word >> 2] : losses[word >> 2] + best - column[word & 3],
    );
  }
  return losses;
}

/** Scores of a site; stops, with `reached` false, below `lowest`. */
function scoreAt(
  { width, forward, reverse, stillPossible }: SyntheticMotif,
  codes: Uint8Array,
  at: number,
  lowest: number,
) {
  let onForward = 0;
  let onReverse = 0;
  let i = 0;
  for (; i < width && Math.max(onForward, onReverse) + stillPossible[i] >= lowest - TIE; i++) {
    const code = codes[at + i];
    onForward += forward[4 * i + code];
    onReverse += reverse[4 * i + code];
  }
  return { reached: i === width, onForward, onReverse };
}

/** The motifs in MEME's minimal format, version 4. */
export function memeText(motifs: readonly SyntheticMotif[]): string {
  const blocks = motifs.map(({ name, width, probabilities }) => {
    const rows = Array.from({ length: width }, (_, i) =>
      Array.from(probabilities.subarray(4 * i, 4 * i + 4), (p) => p.toFixed(6)).join(" "),
    );
    const header = `letter-probability matrix: alength= 4 w= ${width} nsites= 1000`;
    // An empty line ends each matrix, since some readers store a motif at the line after it.
    return `MOTIF ${name}\n${header}\n${rows.join("\n")}\n\n`;
  });
  const background = "Background letter frequencies\nA 0.25 C 0.25 G 0.25 T 0.25";
  return `MEME version 4\n\nALPHABET= ACGT\n\nstrands: + -\n\n${background}\n\n${blocks.join("")}`;
}
