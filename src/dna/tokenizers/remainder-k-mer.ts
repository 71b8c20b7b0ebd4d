import { FormatError } from "../../base/errors.ts";
import { valueAt } from "../../base/record.ts";
import { requireAscii, type Tokenizer, type Tokens } from "./tokenizer.ts";

const EXPECTED = "the vocab.txt of a GENERator has <oov>, <s>, </s>, <pad>, and all k-mers of A, C, G and T";

/**
 * GENERator's tokenizer: <s>, the sequence in k-mers from the left, </s>. A run of fewer than k letters at
 * the end, and a k-mer with another letter than A, C, G or T, is <oov>; any other character is one <oov>.
 * Case-sensitive. Special tokens in the text are recognised.
 *
 * A remainder at the end is one token whose id says nothing about its bases: `Tokens.remainder` has the
 * k-mers that begin with them, whose probabilities a likelihood adds.
 *
 * @param vocabulary  lines of a `vocab.txt`: special tokens in angle brackets, and all k-mers of one k; the
 *                    id of a token is its index
 * @param file        path of the vocabulary, for messages
 * @throws {FormatError} naming the missing token when the vocabulary has another format
 */
export function remainderKMerTokenizer(
  name: string,
  vocabulary: readonly string[],
  file = "vocab.txt",
): Tokenizer {
  const idOf = new Map(vocabulary.map((token, id) => [token, id]));
  const required = (token: string) => {
    const id = idOf.get(token);
    if (id === undefined) throw new FormatError({ file }, `the vocabulary has no ${token}`, EXPECTED);
    return id;
  };
  const special = {
    unk: required("<oov>"),
    bos: required("<s>"),
    eos: required("</s>"),
    pad: required("<pad>"),
  };
  const mask = idOf.get("<mask>");
  const written = vocabulary.filter((token) => /^<.+>$/.test(token));
  const kmers = vocabulary.filter((token) => !/^<.+>$/.test(token));
  const k = kmers[0]?.length ?? 0;
  const other = kmers.find((token) => !/^[ACGT]{1,8}$/.test(token) || token.length !== k);
  if (other !== undefined) {
    throw new FormatError(
      { file },
      `${JSON.stringify(other.slice(0, 40))} is not a k-mer of ${k} bases`,
      EXPECTED,
    );
  }
  if (kmers.length !== 4 ** k || idOf.size !== vocabulary.length) {
    throw new FormatError(
      { file },
      `the vocabulary has ${idOf.size - written.length} k-mers of ${k} bases; expected ${4 ** k}`,
      EXPECTED,
    );
  }
  const beginning = new Map<string, Int32Array>();
  const kmersBeginning = (bases: string) => {
    const known =
      beginning.get(bases) ??
      Int32Array.from(kmers.filter((kmer) => kmer.startsWith(bases)).map((kmer) => valueAt(idOf, kmer)));
    beginning.set(bases, known);
    return known;
  };

  function encode(text: string): Tokens {
    requireAscii(text);
    const ids = [special.bos];
    const starts = [0];
    const ends = [0];
    let at = 0;
    let remainder: Int32Array | undefined;
    while (at < text.length) {
      const token = text[at] === "<" ? written.find((each) => text.startsWith(each, at)) : undefined;
      const letters = token ?? /^[A-Z]*/.exec(text.slice(at, at + k))?.[0] ?? "";
      const end = at + Math.max(1, letters.length);
      const piece = text.slice(at, end);
      ids.push(idOf.get(piece) ?? special.unk);
      starts.push(at);
      ends.push(end);
      if (end === text.length && /^[ACGT]+$/.test(piece) && piece.length < k)
        remainder = kmersBeginning(piece);
      at = end;
    }
    const end = { ids: [special.eos], none: [0] };
    return {
      ids: Int32Array.from([...ids, ...end.ids]),
      starts: Int32Array.from([...starts, ...end.none]),
      ends: Int32Array.from([...ends, ...end.none]),
      ...(remainder === undefined ? {} : { remainder }),
    };
  }

  return {
    name,
    kind: "k-mer",
    vocabularySize: vocabulary.length,
    special: mask === undefined ? special : { ...special, mask },
    before: [special.bos],
    after: [special.eos],
    encode,
    token: (id) => vocabulary[id],
  };
}
