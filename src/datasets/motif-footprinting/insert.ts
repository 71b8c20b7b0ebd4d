/** A sequence as what it has in place of its background's letters. */
export interface Insert {
  readonly start: number;
  readonly letters: string;
}

/** From the first letter that differs to the last; a sequence equal to its background has an insert of no letters. */
export function insertOf(sequence: string, background: string): Insert {
  let start = 0;
  while (start < sequence.length && sequence[start] === background[start]) start++;
  let end = sequence.length;
  while (end > start && sequence[end - 1] === background[end - 1]) end--;
  return { start, letters: ownCopy(sequence.slice(start, end)) };
}

/** The sequence again. */
export const withInsert = (background: string, { start, letters }: Insert): string =>
  background.slice(0, start) + letters + background.slice(start + letters.length);

/** A slice keeps the text that it was cut from in memory; this does not. */
export const ownCopy = (text: string): string => Buffer.from(text, "latin1").toString("latin1");
