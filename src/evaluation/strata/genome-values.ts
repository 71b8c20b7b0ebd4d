import { basename } from "node:path";
import { setImmediate } from "node:timers/promises";
import { counted } from "../../base/message-text.ts";
import type { Genome } from "../../dna/genome/genome.ts";
import { type Interval, missingChromosomeError } from "../../dna/genome/interval.ts";
import type { Motif } from "../../dna/motifs/motif.ts";
import { MotifScanner } from "../../dna/motifs/scanner.ts";
import { alleleWindows } from "../../dna/sequence/variant.ts";
import type { StratumValue } from "../tasks/stratification.ts";
import type { MeasureWork } from "../tasks/task.ts";
import {
  byChromosome,
  intervalsOf,
  type OpenStratification,
  type RowsToStratify,
  withoutPositions,
} from "./rows.ts";

/** Fraction of G and C among the known bases of each row. */
export function gcContent(genome: Genome, over?: "window"): OpenStratification {
  return {
    name: "gc",
    title: over === undefined ? "GC content" : "GC content of the window",
    refuses: withoutPositions,
    async valuesOf(rows) {
      const values = await overGenome(rows, genome, over, async (chrom) => {
        const bases = await genome.chromosome(chrom);
        return (start, end) => gcOf(bases, start, end);
      });
      return { values };
    },
  };
}

function gcOf(bases: Uint8Array, start: number, end: number): number | undefined {
  let [strong, known] = [0, 0];
  for (let i = start; i < end; i++) {
    const letter = bases[i];
    const isStrong = letter === G || letter === C;
    if (isStrong) strong++;
    if (isStrong || letter === A || letter === T) known++;
  }
  return known === 0 ? undefined : strong / known;
}

const [A, C, G, T] = [65, 67, 71, 84];

const REPEATS = ["no repeat", "less than half", "half or more"];

/** Share of soft-masked bases of each row. Chromosomes without any lower-case base are unknown. */
export function repeats(genome: Genome, over?: "window"): OpenStratification {
  return {
    name: "repeats",
    title: "soft-masked repeats",
    order: REPEATS,
    refuses: withoutPositions,
    async valuesOf(rows) {
      const unmasked: string[] = [];
      const values = await overGenome(rows, genome, over, async (chrom) => {
        const mask = await genome.softMask(chrom);
        if (mask.includes(1)) return (start, end) => repeatsOf(mask, start, end);
        unmasked.push(chrom);
        return () => undefined;
      });
      const notes =
        unmasked.length === 0
          ? []
          : [
              `${basename(genome.path)} is not soft-masked on ${unmasked.sort().join(", ")}: no lower-case base.`,
            ];
      return { values, notes };
    },
  };
}

function repeatsOf(mask: Uint8Array, start: number, end: number): string | undefined {
  if (end <= start) return undefined;
  let masked = 0;
  for (let i = start; i < end; i++) masked += mask[i];
  return REPEATS[masked === 0 ? 0 : masked < (end - start) / 2 ? 1 : 2];
}

/** Value of the bases of each row, chromosome by chromosome; intervals are clipped to the chromosome. */
async function overGenome(
  rows: RowsToStratify,
  genome: Genome,
  over: "window" | undefined,
  open: (chrom: string) => Promise<(start: number, end: number) => StratumValue | undefined>,
): Promise<readonly (StratumValue | undefined)[]> {
  const intervals = intervalsOf(rows, over);
  const values = new Array<StratumValue | undefined>(intervals.length);
  for (const [chrom, some] of byChromosome(intervals)) {
    const length = lengthOf(chrom, genome);
    const valueFor = await open(chrom);
    for (const i of some) {
      const { start, end } = intervals[i];
      values[i] = valueFor(Math.max(start, 0), Math.min(end, length));
    }
  }
  return values;
}

function lengthOf(chrom: string, genome: Genome): number {
  const length = genome.chromosomes.get(chrom);
  if (length !== undefined) return length;
  throw missingChromosomeError(chrom, genome.chromosomes.keys(), { file: genome.path });
}

/** Expected number of hits that overlap a base by chance, over all motifs and both strands. */
const CHANCE_HITS = 0.05;

/** Sequences that are scanned together. */
const SCANNED_AT_ONCE = 4096;

/**
 * Stratifies variants by overlap with a hit of any motif, with either allele. The p-value of a hit is set so
 * that a base lies in 0.05 hits by chance, over all motifs, positions and both strands.
 */
export function inMotif(genome: Genome, motifs: readonly Motif[], file: string): OpenStratification {
  const positions = motifs.reduce((sum, { width }) => sum + width, 0);
  const threshold = CHANCE_HITS / (2 * positions);
  const widths = [...new Set(motifs.map(({ width }) => width))].sort((a, b) => a - b);
  const scanners = widths.map((width) => {
    const scanner = new MotifScanner(
      motifs.filter((motif) => motif.width === width),
      { threshold },
    );
    return { width, scanner };
  });
  return {
    name: "in-motif",
    title: "variant in a motif",
    file,
    order: ["in a motif", "outside motifs"],
    refuses(rows) {
      const { predictions } = rows;
      const noAlleles = ["allele1", "allele2"].some((name) => predictions.factTexts(name) === undefined);
      return withoutPositions(rows) ?? (noAlleles ? "its rows are not variants" : undefined);
    },
    async valuesOf(rows, work = {}) {
      const values = await scanVariants(rows, genome, scanners, work);
      return { values, notes: [`A hit of a motif has a p-value of at most ${threshold.toPrecision(2)}.`] };
    },
  };
}

/**
 * Scans the positions at which a motif overlaps an allele: 2 · (width − 1) bases nearby it. A variant in a
 * hit is not scanned again.
 *
 * @param scanners  of motifs of one width each, the widest last
 */
async function scanVariants(
  rows: RowsToStratify,
  genome: Genome,
  scanners: readonly { readonly width: number; readonly scanner: MotifScanner }[],
  { onStage, signal }: MeasureWork,
): Promise<readonly StratumValue[]> {
  const intervals: readonly Interval[] = intervalsOf(rows);
  const alleles = ["allele1", "allele2"].map((name) => rows.predictions.factReader(name));
  const widest = scanners.at(-1)?.width ?? 0;
  const inside = new Uint8Array(intervals.length);
  const motifs = scanners.reduce((sum, { scanner }) => sum + scanner.motifs.length, 0);
  const stage = `variants scanned for ${counted(motifs, "motif")}`;
  const began = performance.now();
  let done = 0;
  for (const [chrom, some] of byChromosome(intervals)) {
    lengthOf(chrom, genome);
    const bases = await genome.chromosome(chrom);
    for (let first = 0; first < some.length; first += SCANNED_AT_ONCE) {
      let scanned = some.slice(first, first + SCANNED_AT_ONCE).flatMap((i) => {
        const [allele1, allele2] = alleles.map((read) => String(read(i)));
        const variant = { position: intervals[i].start, allele1, allele2 };
        const from = widest - 1 + Math.max(allele1.length, allele2.length);
        const windows = alleleWindows(bases, variant, 2 * from);
        return [
          { i, codes: windows.first, from, to: from + allele1.length },
          { i, codes: windows.second, from, to: from + allele2.length },
        ];
      });
      for (const { width, scanner } of scanners) {
        const nearby = scanned.map(({ codes, from, to }) => codes.subarray(from - width + 1, to + width - 1));
        for (const { sequence } of scanner.hits(nearby)) inside[scanned[sequence].i] = 1;
        scanned = scanned.filter(({ i }) => inside[i] === 0);
      }
      done += Math.min(SCANNED_AT_ONCE, some.length - first);
      const rowsPerSecond = (1000 * done) / (performance.now() - began);
      const total = intervals.length;
      onStage?.({ stage, done, total, rowsPerSecond, secondsLeft: (total - done) / rowsPerSecond });
      await setImmediate();
      signal?.throwIfAborted();
    }
  }
  return Array.from(inside, (is) => (is === 1 ? "in a motif" : "outside motifs"));
}
