import { FormatError } from "../../base/errors.ts";
import { parseWholeNumber, readTable } from "../../base/table.ts";
import { StringPool } from "../../base/text-lines.ts";
import { writeFileAtomic } from "../../base/write-file.ts";
import { readNarrowPeaks } from "../../dna/genome/bed.ts";
import type { Interval } from "../../dna/genome/interval.ts";

/** Bases of a consensus peak, its summit in the middle. */
const WIDTH = 500;

export interface ConsensusPeaks {
  /** By chromosome as text, then start. */
  readonly accepted: readonly Interval[];
  /** Peaks in all files. */
  readonly read: number;
  /** Peaks left out because 500 bases around the summit would begin before the chromosome. */
  readonly beforeChromosome: number;
}

/**
 * One list of peaks from several experiments: in the order of their q-values, the best first, each peak is taken as the 500
 * bases around its summit, unless that overlaps one taken before.
 *
 * Overlap is as in DART-Eval (quirk Q29): touching a peak on its left counts, touching it on its right does not. Peaks of
 * equal q keep the order of the files and of the lines; the original's order of them depended on its sorting library.
 *
 * @param paths  narrowPeak files, plain or compressed
 * @throws {FormatError} as `readNarrowPeaks`, and when a peak has no summit
 */
export async function consensusPeaks(paths: readonly string[]): Promise<ConsensusPeaks> {
  const peaks: { readonly chrom: string; readonly start: number; readonly q: number }[] = [];
  const names = new StringPool();
  let beforeChromosome = 0;
  for (const path of paths) {
    for await (const { chrom, start, summit, qValue, line } of readNarrowPeaks(path)) {
      if (summit < 0) throw new FormatError({ file: path, line }, "the peak has no summit (column 10 is -1)");
      const left = start + summit - WIDTH / 2;
      if (left < 0) beforeChromosome++;
      else peaks.push({ chrom: names.intern(chrom), start: left, q: qValue });
    }
  }
  const read = peaks.length + beforeChromosome;
  // Array.sort is stable.
  peaks.sort((a, b) => b.q - a.q);
  const taken = new Map<string, TakenPeaks>();
  for (const { chrom, start } of peaks) {
    let here = taken.get(chrom);
    if (here === undefined) {
      here = new TakenPeaks();
      taken.set(chrom, here);
    }
    here.take(start);
  }
  const accepted = [...taken.keys()].sort().flatMap((chrom) =>
    taken
      .get(chrom)!
      .starts()
      .map((start) => ({ chrom, start, end: start + WIDTH })),
  );
  return { accepted, read, beforeChromosome };
}

/** Starts of the peaks taken on one chromosome, in bins of a peak's width. */
class TakenPeaks {
  private readonly bins = new Map<number, number[]>();

  /** Unless one taken before overlaps: one that starts up to 500 bases behind, or fewer before. */
  take(start: number): void {
    for (let bin = binOf(start - WIDTH + 1); bin <= binOf(start + WIDTH); bin++) {
      const here = this.bins.get(bin) ?? [];
      if (here.some((other) => other > start - WIDTH && other <= start + WIDTH)) return;
    }
    const own = this.bins.get(binOf(start)) ?? [];
    own.push(start);
    this.bins.set(binOf(start), own);
  }

  starts(): number[] {
    return [...this.bins.values()].flat().sort((a, b) => a - b);
  }
}

const binOf = (position: number) => Math.floor(position / WIDTH);

const COLUMNS = ["chrom", "start", "end"] as const;

/** Writes `accepted_peaks_all.tsv`, whole or not at all. @throws {InputError} when it cannot be written */
export async function writeConsensusPeaks(path: string, peaks: readonly Interval[]): Promise<void> {
  const lines = peaks.map(({ chrom, start, end }) => `${chrom}\t${start}\t${end}`);
  await writeFileAtomic(path, `${[COLUMNS.join("\t"), ...lines].join("\n")}\n`);
}

/** @throws {FormatError} naming the line when a column is missing, a position is none or an end is not after its start */
export async function readConsensusPeaks(path: string): Promise<readonly Interval[]> {
  const peaks: Interval[] = [];
  const names = new StringPool();
  for await (const { fields, line } of readTable(path, COLUMNS)) {
    const place = { file: path, line };
    const start = parseWholeNumber(fields[1], "start", place);
    const end = parseWholeNumber(fields[2], "end", place);
    if (end <= start) throw new FormatError(place, `end ${end} is not after start ${start}`);
    peaks.push({ chrom: names.intern(fields[0]), start, end });
  }
  return peaks;
}
