import type { Genome } from "../../../dna/genome/genome.ts";
import { reads } from "../../../dna/sequence/variant.ts";
import { binomialUpperTail } from "../../../metrics/distributions.ts";
import type { VariantRow, VariantTable } from "../table.ts";
import { CHANCE, NEARLY_ALL, RANDOM_FIT } from "./finding.ts";
import type { Mismatch, References } from "./references.ts";

/** Largest numbers of rows and of sequences to try for other chromosomes. */
const ROWS_TRIED = 1000;
const SEQUENCES_TRIED = 40;
/**
 * Least excess of fits in standard errors and per row; rows of other chromosomes have an excess of one half
 * per row.
 */
const CLEARLY = 4;
const MIN_EXCESS = 0.25;

/**
 * Searches for the true chromosomes of mismatching rows: chromosomes that fit nearly all rows of one name or,
 * if names are mixed at random, more fits over all other chromosomes than the table's correct rows have.
 *
 * Reads every chromosome once (the 40 longest sequences).
 *
 * @returns undefined if other chromosomes fit no better than random positions do
 */
export async function otherChromosomes(
  { rows }: VariantTable,
  genome: Genome,
  { of, mismatches }: References,
): Promise<{ readonly text: string } | undefined> {
  const wrong = sample(mismatches.map(({ row }) => row));
  const right = sample(rows.filter(({ index }) => (of.get(index) ?? 0) > 0));
  const [ofWrong, ofRight] = [newFits(), newFits()];
  /** Number of wrong rows that fit, by the chromosome in the table, then by the other one. */
  const pairs = new Map<string, Map<string, number>>();
  for (const name of longestOf(genome)) {
    const bases = await genome.chromosome(name);
    addFits(ofRight, right, name, bases);
    for (const { chrom } of addFits(ofWrong, wrong, name, bases)) {
      const fitting = pairs.get(chrom) ?? new Map<string, number>();
      pairs.set(chrom, fitting.set(name, (fitting.get(name) ?? 0) + 1));
    }
  }
  const named = bestPairs(wrong, pairs, genome.chromosomes.size);
  if (named.rows >= NEARLY_ALL * wrong.length) return { text: named.text };
  const chance = ofRight.tried === 0 ? RANDOM_FIT : ofRight.fits / ofRight.tried;
  const excess = ofWrong.fits - chance * ofWrong.tried;
  const error = Math.sqrt(chance * (1 - chance) * ofWrong.tried);
  return excess > CLEARLY * error && excess > MIN_EXCESS * wrong.length
    ? { text: "they fit other chromosomes more often than by chance, so their chromosome names are mixed up" }
    : undefined;
}

/** Fits of rows on chromosomes other than their own. */
interface Fits {
  tried: number;
  fits: number;
}

const newFits = (): Fits => ({ tried: 0, fits: 0 });

/** @returns rows that fit the other chromosome */
function addFits(
  found: Fits,
  rows: readonly VariantRow[],
  other: string,
  bases: Uint8Array,
): readonly VariantRow[] {
  const tried = rows.filter((row) => row.chrom !== other && row.position < bases.length);
  const fitting = tried.filter((row) => fitsAt(bases, row));
  found.tried += tried.length;
  found.fits += fitting.length;
  return fitting;
}

const fitsAt = (bases: Uint8Array, { position, allele1, allele2 }: VariantRow) =>
  reads(bases, position, allele1) || reads(bases, position, allele2);

const longestOf = ({ chromosomes }: Genome) =>
  [...chromosomes]
    .sort(([, a], [, b]) => b - a)
    .slice(0, SEQUENCES_TRIED)
    .map(([name]) => name);

/** Up to `ROWS_TRIED` items, evenly spaced. */
const sample = <T>(items: readonly T[]): readonly T[] =>
  Array.from(
    { length: Math.min(items.length, ROWS_TRIED) },
    (_, i, n = items.length) => items[Math.floor((i * n) / Math.min(n, ROWS_TRIED))],
  );

/** Chromosome names whose rows nearly all fit one other chromosome, and the number of these rows. */
function bestPairs(
  wrong: readonly VariantRow[],
  pairs: ReadonlyMap<string, ReadonlyMap<string, number>>,
  chromosomes: number,
) {
  const found: string[] = [];
  let rows = 0;
  for (const [name, fitting] of pairs) {
    const named = wrong.filter(({ chrom }) => chrom === name).length;
    const [other, fits] = [...fitting].reduce((best, next) => (next[1] > best[1] ? next : best));
    if (fits < NEARLY_ALL * named) continue;
    if (binomialUpperTail(fits, named, RANDOM_FIT) * chromosomes > CHANCE) continue;
    found.push(`${fits} of ${named} rows of ${name} fit ${other}`);
    rows += named;
  }
  return { rows, text: `${found.slice(0, 3).join(", ")}${found.length > 3 ? " and so on" : ""}` };
}

/** Largest offset to try, in bases; liftOver between hg19 and hg38 moves most of a chromosome less. */
const MAX_OFFSET = 3_000_000;
/** Number of neighbouring rows tried together, and of such groups. */
const GROUP = 64;
const GROUPS = 6;

export interface ConstantOffset {
  readonly chrom: string;
  /** Bases to add to the position. */
  readonly by: number;
  readonly fits: number;
  readonly tried: number;
}

/**
 * Searches for an offset at which nearly all neighbouring mismatching rows of a chromosome fit, as with
 * positions of another assembly. Single-base variants only.
 *
 * @returns undefined if no offset within 3 Mb is significant (p below 0.001 over all offsets tried)
 */
export async function constantOffset(
  genome: Genome,
  mismatches: readonly Mismatch[],
): Promise<ConstantOffset | undefined> {
  const byChromosome = new Map<string, VariantRow[]>();
  for (const { row } of mismatches) {
    if (row.allele1.length + row.allele2.length !== 2) continue;
    const others = byChromosome.get(row.chrom);
    if (others === undefined) byChromosome.set(row.chrom, [row]);
    else others.push(row);
  }
  const largest = [...byChromosome].sort(([, a], [, b]) => b.length - a.length).slice(0, GROUPS);
  for (const [chrom, rows] of largest) {
    const bases = await genome.chromosome(chrom);
    const sorted = rows.toSorted((a, b) => a.position - b.position);
    const start = Math.max(0, Math.floor((sorted.length - GROUP) / 2));
    const found = offsetOf(bases, sorted.slice(start, start + GROUP));
    if (found !== undefined) return { chrom, ...found };
  }
  return undefined;
}

function offsetOf(bases: Uint8Array, rows: readonly VariantRow[]): Omit<ConstantOffset, "chrom"> | undefined {
  const n = rows.length;
  const positions = Int32Array.from(rows, ({ position }) => position);
  const first = Uint8Array.from(rows, ({ allele1 }) => allele1.toUpperCase().charCodeAt(0));
  const second = Uint8Array.from(rows, ({ allele2 }) => allele2.toUpperCase().charCodeAt(0));
  const maxMisses = Math.floor((1 - NEARLY_ALL) * n);
  // Offset d is tested at level c/d, so that the levels of all offsets sum to CHANCE.
  const level = CHANCE / (2 * Math.log(MAX_OFFSET));
  if (RANDOM_FIT ** n > level / 2) return undefined;
  for (let size = 2; size < Math.min(bases.length, MAX_OFFSET); size++) {
    for (const by of [size, -size]) {
      let misses = 0;
      for (let i = 0; i < n && misses <= maxMisses; i++) {
        const base = bases[positions[i] + by];
        if (base !== first[i] && base !== second[i]) misses++;
      }
      if (misses > maxMisses) continue;
      if (binomialUpperTail(n - misses, n, RANDOM_FIT) < level / size)
        return { by, fits: n - misses, tried: n };
    }
  }
  return undefined;
}
