import { readBam, UNMAPPED } from "../../dna/genome/bam.ts";
import { type Interval, missingChromosomeError } from "../../dna/genome/interval.ts";

/**
 * Mapped reads of a BAM file that overlap each interval by a base or more: reads and not fragments; duplicates, secondary
 * alignments and any mapping quality count, as in DART-Eval. One pass over the file, in any order, without an index.
 *
 * A read counts where it begins before the interval's end and does not end before its start. So the number is that of reads
 * which begin before the end, less that of reads which end at the start or before.
 *
 * @param signal  reading ends with its reason
 * @returns       one number per interval, in their order
 * @throws {InputError} when an interval lies on a chromosome that the file does not name
 * @throws {FormatError} as `readBam`
 */
export async function countReads(
  bam: string,
  intervals: readonly Interval[],
  signal?: AbortSignal,
): Promise<Int32Array> {
  let byReference: readonly (ReferenceCounts | undefined)[] = [];
  await readBam(
    bam,
    (references) => {
      const of = new Map<string, number[]>();
      intervals.forEach(({ chrom }, i) => {
        const places = of.get(chrom);
        if (places === undefined) of.set(chrom, [i]);
        else places.push(i);
      });
      for (const chrom of of.keys()) {
        if (!references.has(chrom)) throw missingChromosomeError(chrom, references.keys(), { file: bam });
      }
      byReference = [...references.keys()].map((name) => {
        const places = of.get(name);
        return places && new ReferenceCounts(places, intervals);
      });
    },
    ({ reference, start, end, flag }) => {
      if (reference >= 0 && (flag & UNMAPPED) === 0) byReference[reference]?.add(start, end);
    },
    signal,
  );
  const counts = new Int32Array(intervals.length);
  for (const one of byReference) one?.writeTo(counts);
  return counts;
}

/** Reads on one chromosome, sorted into the gaps between the intervals' starts and between their ends. */
class ReferenceCounts {
  private readonly starts: Float64Array;
  private readonly ends: Float64Array;
  /** Reads that begin at or behind i of the ends, and before the next. */
  private readonly beginning: Float64Array;
  /** Reads that end behind i of the starts, and not behind the next. */
  private readonly ending: Float64Array;

  constructor(
    private readonly places: readonly number[],
    private readonly intervals: readonly Interval[],
  ) {
    this.starts = Float64Array.from(places, (i) => intervals[i]!.start).sort();
    this.ends = Float64Array.from(places, (i) => intervals[i]!.end).sort();
    this.beginning = new Float64Array(places.length + 1);
    this.ending = new Float64Array(places.length + 1);
  }

  add(start: number, end: number): void {
    this.beginning[countBelow(this.ends, start + 1)]!++;
    this.ending[countBelow(this.starts, end)]!++;
  }

  writeTo(counts: Int32Array): void {
    const begun = runningSums(this.beginning);
    const ended = runningSums(this.ending);
    for (const i of this.places) {
      const { start, end } = this.intervals[i]!;
      counts[i] = begun[countBelow(this.ends, end)]! - ended[countBelow(this.starts, start)]!;
    }
  }
}

/** How many of ascending numbers are below a value. */
function countBelow(ascending: Float64Array, value: number): number {
  let low = 0;
  let high = ascending.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (ascending[middle]! < value) low = middle + 1;
    else high = middle;
  }
  return low;
}

function runningSums(values: Float64Array): Float64Array {
  let sum = 0;
  return values.map((value) => {
    sum += value;
    return sum;
  });
}
