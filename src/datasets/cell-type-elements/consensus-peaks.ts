import { FormatError } from "../../base/errors.ts";
import { parseWholeNumber, readTable } from "../../base/table.ts";
import { StringPool } from "../../base/text-lines.ts";
import { writeFileAtomic } from "../../base/write-file.ts";
import { readNarrowPeaks } from "../../dna/genome/bed.ts";
import type { Interval } from "../../dna/genome/interval.ts";

/** Width of a consensus peak in bases, centred on the summit. */
const WIDTH = 500;

/** Consensus peaks of several files, with counts of what was read and skipped. */
export interface ConsensusPeaks {
  /** Sorted by chromosome name, then start. */
  readonly accepted: readonly Interval[];
  /** Number of peaks in all files. */
  readonly read: number;
  /** Number of peaks skipped because the 500 bases around the summit start before the chromosome. */
  readonly beforeChromosome: number;
}

/**
 * Merges the peaks of several experiments into one list. In order of q-value, most significant first, each
 * peak contributes the 500 bases around its summit unless they overlap an accepted peak.
 *
 * Overlap is defined as in DART-Eval (quirk Q29): a peak that ends where an accepted one starts counts as
 * overlapping, one that starts where an accepted one ends does not. Peaks of equal q-value stay in the order
 * of files and lines; in the original their order depended on its sorting library.
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
  const byChromosome = new Map<string, AcceptedPeaks>();
  for (const { chrom, start } of peaks) {
    let here = byChromosome.get(chrom);
    if (here === undefined) {
      here = new AcceptedPeaks();
      byChromosome.set(chrom, here);
    }
    here.add(start);
  }
  const accepted = [...byChromosome]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([chrom, here]) => here.starts().map((start) => ({ chrom, start, end: start + WIDTH })));
  return { accepted, read, beforeChromosome };
}

/** Starts of the accepted peaks of one chromosome, in bins of a peak's width. */
class AcceptedPeaks {
  private readonly bins = new Map<number, number[]>();

  /** Adds a peak unless an accepted one starts in (start - 500, start + 500]. */
  add(start: number): void {
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

/** Writes `accepted_peaks_all.tsv` atomically. @throws {InputError} when it cannot be written */
export async function writeConsensusPeaks(path: string, peaks: readonly Interval[]): Promise<void> {
  const lines = peaks.map(({ chrom, start, end }) => `${chrom}\t${start}\t${end}`);
  await writeFileAtomic(path, `${[COLUMNS.join("\t"), ...lines].join("\n")}\n`);
}

/**
 * Reads `accepted_peaks_all.tsv`.
 * @throws {FormatError} naming the line when a column is missing, a position is not a number or an end is not
 *   after its start
 */
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
