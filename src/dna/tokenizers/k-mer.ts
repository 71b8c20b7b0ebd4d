import { FormatError } from "../../base/errors.ts";
import { valueAt } from "../../base/record.ts";
import { requireAscii, type SpecialTokens, type Tokenizer, type Tokens } from "./tokenizer.ts";

/** Bases in the order of the vocabularies of k-mers. */
export const ALPHABET = "ATCG";
/** 0 to 3 for A, T, C, G by character code; -1 for other ASCII characters. */
const DIGIT_OF_CODE = Int8Array.from({ length: 128 }, (_, code) =>
  ALPHABET.indexOf(String.fromCharCode(code)),
);

/**
 * Lines of Nucleotide Transformer's `vocab.txt`: special tokens, k-mers in the order A, T, C, G, and single
 * bases. The id of a token is its index.
 *
 * @param version  2 for the v2 models; 1 for the first models, whose last two tokens have no row in the
 *   embedding
 */
export function nucleotideTransformerVocabulary(version: 1 | 2, k = 6): readonly string[] {
  let kmers = [""];
  for (let i = 0; i < k; i++) kmers = kmers.flatMap((start) => [...ALPHABET].map((letter) => start + letter));
  const first = ["<unk>", "<pad>", "<mask>", "<cls>"];
  const ends = ["<eos>", "<bos>"];
  const letters = [...ALPHABET, "N"];
  return version === 2
    ? [...first, ...ends, ...kmers, ...letters]
    : [...first, ...kmers, ...letters, ...ends];
}

/**
 * Nucleotide Transformer's tokenizer. From the left, takes the next k bases if all are A, C, G or T, else a
 * single character. Adds `<cls>` in front and nothing at the end. Case-sensitive. N is a token; a run of
 * other characters is one `<unk>`; whitespace separates runs and is dropped; special tokens in the text are
 * recognised.
 *
 * @param vocabulary  lines of a `vocab.txt`: special tokens in angle brackets, all k-mers of one k, the four
 *                    bases, and optionally N; the id of a token is its index
 * @param file        path of the vocabulary, for messages
 * @throws {FormatError} naming the line or the missing token when the vocabulary has another format
 */
export function kMerTokenizer(name: string, vocabulary: readonly string[], file = "vocab.txt"): Tokenizer {
  const { k, idOf, idOfKmer } = readKMerVocabulary(vocabulary, {
    file,
    isOther,
    alphabet: ALPHABET,
    expected: EXPECTED,
  });
  const required = (token: string) => {
    const id = idOf.get(token);
    if (id === undefined) throw new FormatError({ file }, `the vocabulary has no ${token}`, EXPECTED);
    return id;
  };
  const special = {
    unk: required("<unk>"),
    pad: required("<pad>"),
    mask: required("<mask>"),
    cls: required("<cls>"),
  } satisfies SpecialTokens;
  const letters = [...ALPHABET].map(required);
  const n = idOf.get("N") ?? -1;
  const vocabularySize =
    1 + idOfKmer.reduce((a, b) => Math.max(a, b), Math.max(...Object.values(special), ...letters, n));
  const written = vocabulary.filter((token, id) => token.startsWith("<") && id < vocabularySize);
  const single = Int32Array.from({ length: 128 }, (_, code) => idOf.get(String.fromCharCode(code)) ?? -1);

  /** Base-4 index of the k-mer at a position; -1 if the next k characters are not all A, C, G or T. */
  function kmerAt(text: string, at: number): number {
    if (at + k > text.length) return -1;
    let number = 0;
    for (let i = at; i < at + k; i++) {
      const digit = DIGIT_OF_CODE[text.charCodeAt(i)];
      if (digit < 0) return -1;
      number = 4 * number + digit;
    }
    return number;
  }

  const isLetter = (text: string, at: number) => single[text.charCodeAt(at)] >= 0;
  const specialAt = (text: string, at: number) => written.find((token) => text.startsWith(token, at));

  function endOfUnknown(text: string, start: number): number {
    let at = start + 1;
    while (at < text.length && !isLetter(text, at) && !isBlank(text, at) && !specialAt(text, at)) at++;
    return at;
  }

  function encode(text: string): Tokens {
    requireAscii(text);
    const ids = new Int32Array(text.length + 1);
    const starts = new Int32Array(text.length + 1);
    const ends = new Int32Array(text.length + 1);
    ids[0] = special.cls;
    let count = 1;
    let at = 0;
    const push = (id: number, end: number) => {
      ids[count] = id;
      starts[count] = at;
      ends[count++] = end;
      at = end;
    };
    while (at < text.length) {
      const kmer = kmerAt(text, at);
      if (kmer >= 0) push(idOfKmer[kmer], at + k);
      else if (isLetter(text, at)) push(single[text.charCodeAt(at)], at + 1);
      else if (isBlank(text, at)) at++;
      else {
        const token = specialAt(text, at);
        if (token === undefined) push(special.unk, endOfUnknown(text, at));
        else push(valueAt(idOf, token), at + token.length);
      }
    }
    return { ids: ids.slice(0, count), starts: starts.slice(0, count), ends: ends.slice(0, count) };
  }

  return {
    name,
    kind: "k-mer",
    vocabularySize,
    special,
    before: [special.cls],
    after: [],
    encode,
    token: (id) => vocabulary[id],
  };
}

const EXPECTED =
  "the vocab.txt of a Nucleotide Transformer has <unk>, <pad>, <mask>, <cls>, all k-mers, and A, T, C, G";

/** True for special tokens, single bases and N. */
const isOther = (token: string) =>
  /^<\w+>$/.test(token) || token === "N" || (token.length === 1 && ALPHABET.includes(token));

/** Whitespace as in Python's `str.split`. */
function isBlank(text: string, at: number): boolean {
  const code = text.charCodeAt(at);
  return code === 32 || (code >= 9 && code <= 13) || (code >= 28 && code <= 31);
}

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
    idOfKmer[index] = valueAt(idOf, kmer);
  }
  return { k, idOf, idOfKmer };
}
