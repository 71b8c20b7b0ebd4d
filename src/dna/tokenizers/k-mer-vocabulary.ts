import { FormatError } from "../../base/errors.ts";

/** Maximum k: longer k-mers have more entries than any embedding has rows. */
const MAX_K = 8;

/** A vocabulary with all k-mers of one k. */
export interface KMerVocabulary {
  readonly k: number;
  /** Id of every token: its index in the vocabulary. */
  readonly idOf: ReadonlyMap<string, number>;
  /** Token id by base-4 index of the k-mer, in the order of the alphabet. */
  readonly idOfKmer: Int32Array;
}

/**
 * Reads the lines of a `vocab.txt` that has all k-mers of A, C, G and T of one k, 2 to 8, in any order.
 *
 * @param alphabet  the four bases in the order of the index: "ACGT"
 * @param isOther   true for a token that is not a k-mer
 * @param required  tokens that must be present
 * @param expected  hint of the errors
 * @throws {FormatError} naming the line of a duplicate or of an invalid k-mer, a missing token, or the number
 *                       of k-mers
 */
export function readKMerVocabulary(
  lines: readonly string[],
  {
    file,
    alphabet,
    isOther,
    required = [],
    expected,
  }: {
    readonly file: string;
    readonly alphabet: string;
    readonly isOther: (token: string) => boolean;
    readonly required?: readonly string[];
    readonly expected: string;
  },
): KMerVocabulary {
  const idOf = new Map<string, number>();
  const kmers: string[] = [];
  for (const [id, token] of lines.entries()) {
    const place = { file, line: id + 1 };
    const quoted = JSON.stringify(token.slice(0, 40));
    if (idOf.has(token)) throw new FormatError(place, `${quoted} is listed twice`);
    idOf.set(token, id);
    if (isOther(token)) continue;
    if (!/^[ACGT]{2,8}$/.test(token))
      throw new FormatError(place, `${quoted} is not a k-mer of A, C, G and T`, expected);
    const k = kmers[0]?.length ?? token.length;
    if (token.length !== k)
      throw new FormatError(place, `${quoted} does not have ${k} bases like the k-mers before it`);
    kmers.push(token);
  }
  const missing = required.find((token) => !idOf.has(token));
  if (missing !== undefined) {
    throw new FormatError({ file }, `the vocabulary has no ${missing}`, expected);
  }
  const k = kmers[0]?.length ?? MAX_K;
  if (kmers.length !== 4 ** k) {
    throw new FormatError(
      { file },
      `the vocabulary has ${kmers.length} k-mers of ${k} bases; expected ${4 ** k}`,
      expected,
    );
  }
  const idOfKmer = new Int32Array(kmers.length);
  for (const kmer of kmers) {
    const index = [...kmer].reduce((code, base) => 4 * code + alphabet.indexOf(base), 0);
    idOfKmer[index] = idOf.get(kmer)!;
  }
  return { k, idOf, idOfKmer };
}
