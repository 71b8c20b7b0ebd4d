import { InputError, type Place } from "../../base/errors.ts";
import { quotedText } from "../../base/message-text.ts";

/**
 * Bases [start, end) of a chromosome: 0-based, half-open. Readers of 1-based formats convert to it.
 * A window may extend beyond the ends of a chromosome, so `start` may be negative.
 */
export interface Interval {
  readonly chrom: string;
  readonly start: number;
  readonly end: number;
}

/** Largest position of the benchmark's tables, whose positions are unsigned 32-bit numbers. */
export const MAX_POSITION = 2 ** 32 - 1;

/** "chr1:99-200": chromosome, 0-based start, exclusive end. */
export function formatInterval({ chrom, start, end }: Interval): string {
  return `${chrom}:${start}-${end}`;
}

/** @throws {InputError} when start or end is not an integer, or end is not after start */
export function checkInterval(interval: Interval): void {
  const { start, end } = interval;
  if (!Number.isSafeInteger(start) || !Number.isSafeInteger(end)) {
    throw new InputError(`start and end of ${formatInterval(interval)} are not integers`);
  }
  if (end <= start) {
    throw new InputError(`end ${end} is not after start ${start} in ${formatInterval(interval)}`, {
      hint: "intervals are 0-based and half-open",
    });
  }
}

/**
 * Window of `width` bases centred on an interval. If the difference in length is odd, the extra base is added
 * on the right or removed on the left.
 */
export function centredWindow({ chrom, start, end }: Interval, width: number): Interval {
  const left = start - Math.floor((width - (end - start)) / 2);
  return { chrom, start: left, end: left + width };
}

/** Sequence names listed in a message; a genome may have thousands. */
const SHOWN_NAMES = 5;

/**
 * Error of an unknown sequence name. Suggests the equivalent UCSC or Ensembl name (`chr1` and `1`, `chrM` and
 * `MT`), the most frequent cause.
 *
 * @param place  the genome, or the line of the table with the name
 */
export function missingChromosomeError(name: string, known: Iterable<string>, place: Place): InputError {
  const names = [...known];
  const same = names.find((other) => bareName(other) === bareName(name));
  if (same !== undefined) {
    return new InputError(`the genome has no sequence ${quotedText(name)}, but has ${quotedText(same)}`, {
      place,
      hint: "table and genome must use the same chromosome names: rename them in one of the two",
    });
  }
  const shown = names
    .slice(0, SHOWN_NAMES)
    .map((each) => (each.length > 60 ? quotedText(each) : each))
    .join(", ");
  const more = names.length > SHOWN_NAMES ? ` and ${names.length - SHOWN_NAMES} more` : "";
  return new InputError(`the genome has no sequence ${quotedText(name)}; it has ${shown}${more}`, {
    place,
    hint: "does the table belong to another genome?",
  });
}

function bareName(name: string): string {
  const bare = name.toLowerCase().replace(/^chr/, "");
  return bare === "mt" ? "m" : bare;
}
