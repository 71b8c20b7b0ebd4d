import { InputError } from "../../base/errors.ts";

/**
 * Bases [start, end) of a chromosome: 0-based, half-open. 1-based formats are converted where they are read.
 * A window may reach beyond a chromosome's ends, so `start` may be negative.
 */
export interface Interval {
  readonly chrom: string;
  readonly start: number;
  readonly end: number;
}

/** "chr1:99-200": chromosome, 0-based start, exclusive end. */
export function formatInterval({ chrom, start, end }: Interval): string {
  return `${chrom}:${start}-${end}`;
}

/** @throws {InputError} when an end is not a whole number, or the end is not after the start */
export function checkInterval(interval: Interval): void {
  const { start, end } = interval;
  if (!Number.isSafeInteger(start) || !Number.isSafeInteger(end)) {
    throw new InputError(`the ends of ${formatInterval(interval)} are not whole numbers`);
  }
  if (end <= start) {
    throw new InputError(`end ${end} is not after start ${start} in ${formatInterval(interval)}`, {
      hint: "intervals are 0-based and half-open",
    });
  }
}

/**
 * The window of `width` bases around an interval's middle. When the bases to add are odd in number, the extra one goes
 * to the right; when those to take away are, to the left.
 */
export function centredWindow({ chrom, start, end }: Interval, width: number): Interval {
  const left = start - Math.floor((width - (end - start)) / 2);
  return { chrom, start: left, end: left + width };
}
