import { FormatError } from "../../base/errors.ts";
import { readKMerVocabulary } from "./k-mer-vocabulary.ts";
import { requireAscii, type SpecialTokens, type Tokenizer, type Tokens } from "./tokenizer.ts";

/** Bases in the order of the vocabulary. */
const ALPHABET = "ATCG";
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
        else push(idOf.get(token)!, at + token.length);
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
