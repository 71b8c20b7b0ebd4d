import { InputError, type Place } from "../../base/errors.ts";
import { quotedText } from "../../base/message-text.ts";

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

/** Names shown of a genome that may have thousands. */
const NAMES_SHOWN = 5;

/**
 * What to say when a genome has no sequence of a name: UCSC's `chr1` and `chrM` are Ensembl's `1` and `MT`, and mixing
 * the two is the usual reason.
 *
 * @param place  the genome, or the line of a table that names the sequence
 */
export function missingChromosomeError(name: string, known: Iterable<string>, place: Place): InputError {
  const names = [...known];
  const same = names.find((other) => bareName(other) === bareName(name));
  if (same !== undefined) {
    return new InputError(`the genome has no sequence ${quotedText(name)}; it calls it ${quotedText(same)}`, {
      place,
      hint: "tables and genome must use the same names: take both from one source, or rename the chromosomes in one",
    });
  }
  const shown = names
    .slice(0, NAMES_SHOWN)
    .map((each) => (each.length > 60 ? quotedText(each) : each))
    .join(", ");
  const more = names.length > NAMES_SHOWN ? ` and ${names.length - NAMES_SHOWN} more` : "";
  return new InputError(`the genome has no sequence ${quotedText(name)}; it has ${shown}${more}`, {
    place,
    hint: "is this the genome that the table was made for?",
  });
}

function bareName(name: string): string {
  const bare = name.toLowerCase().replace(/^chr/, "");
  return bare === "mt" ? "m" : bare;
}
