import { valueAt } from "../../base/record.ts";
import { BASES } from "../sequence/encoding.ts";
import { ALPHABET, readKMerVocabulary } from "./k-mer.ts";
import { requireAscii, type SpecialTokens, type Tokenizer, type Tokens } from "./tokenizer.ts";

/** Special tokens in the order of DNABERT's vocabularies. */
const SPECIALS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"] as const;

/** Lines of DNABERT's `vocab.txt`: special tokens, then all k-mers. The id of a token is its index. */
export function overlappingKMerVocabulary(k: number): readonly string[] {
  let kmers = [""];
  for (let i = 0; i < k; i++) kmers = kmers.flatMap((start) => [...ALPHABET].map((base) => start + base));
  return [...SPECIALS, ...kmers];
}

/** True for the lines of a vocabulary with BERT's special tokens and k-mers of more than one base. */
export const isOverlappingKMerVocabulary = (lines: readonly string[]): boolean =>
  lines.includes("[CLS]") && lines.some((line) => /^[ACGT]{2,8}$/.test(line));

/**
 * DNABERT's tokenizer: [CLS], the k-mer at every position of the sequence, [SEP]; L − k + 1 k-mers, or one
 * [UNK] for a sequence shorter than k (Ji et al. 2021, doi:10.1093/bioinformatics/btab083). A k-mer with
 * another character than A, C, G or T is [UNK]. Lower-case bases are read as upper case.
 *
 * Spans are disjoint, as the interface requires: the span of a k-mer is its base ⌊(k − 1) / 2⌋, that of the
 * first also includes the bases before, that of the last the bases after. `overlap` lets likelihoods mask all
 * k-mers of a base at once.
 *
 * @param vocabulary  lines of a `vocab.txt`: the special tokens, and all k-mers of one k
 * @param file        path of the vocabulary, for messages
 * @throws {FormatError} naming the line or the missing token when the vocabulary has another format
 */
export function overlappingKMerTokenizer(
  name: string,
  vocabulary: readonly string[],
  file = "vocab.txt",
): Tokenizer {
  const { k, idOf, idOfKmer } = readKMerVocabulary(vocabulary, {
    file,
    alphabet: BASES,
    isOther: (token) => /^\[\w+\]$/.test(token),
    required: SPECIALS,
    expected: EXPECTED,
  });
  const [pad, unk, cls, sep, mask] = SPECIALS.map((token) => valueAt(idOf, token));
  const special = { pad, unk, cls, sep, mask } satisfies SpecialTokens;
  const centre = Math.floor((k - 1) / 2);

  function encode(sequence: string): Tokens {
    requireAscii(sequence);
    const kmers = sequence.length === 0 ? 0 : Math.max(1, sequence.length - k + 1);
    const ids = new Int32Array(kmers + 2).fill(unk);
    ids[0] = cls;
    ids[kmers + 1] = sep;
    let code = 0;
    let known = 0; // bases A, C, G, T directly before the position
    for (let at = 0; at < sequence.length; at++) {
      const digit = BASES.indexOf(sequence[at].toUpperCase());
      known = digit < 0 ? 0 : known + 1;
      code = (4 * code + Math.max(digit, 0)) % idOfKmer.length;
      if (known >= k) ids[at - k + 2] = idOfKmer[code];
    }
    const starts = new Int32Array(kmers + 2);
    const ends = new Int32Array(kmers + 2);
    for (let kmer = 0; kmer < kmers; kmer++) {
      starts[kmer + 1] = kmer === 0 ? 0 : kmer + centre;
      ends[kmer + 1] = kmer === kmers - 1 ? sequence.length : kmer + centre + 1;
    }
    return { ids, starts, ends };
  }

  const byBase = new Map<string, Int32Array>();
  function kmersWith(base: number, offset: number): Int32Array {
    const key = `${base} ${offset}`;
    const letter = String.fromCharCode(base).toUpperCase();
    const known =
      byBase.get(key) ?? Int32Array.from(idOfKmer.filter((id) => vocabulary[id][offset] === letter));
    byBase.set(key, known);
    return known;
  }

  return {
    name,
    kind: "k-mer",
    vocabularySize: vocabulary.length,
    special,
    before: [cls],
    after: [sep],
    encode,
    token: (id) => vocabulary[id],
    overlap: { k, kmersWith },
  };
}

const EXPECTED = `the vocab.txt of a DNABERT has ${SPECIALS.join(", ")} and all k-mers of A, C, G and T`;
